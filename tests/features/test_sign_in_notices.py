from mails.agents import named_agent
from process.gateway import Gateway
from tests.support.graphql_client import GraphQLClient
from tests.support.mailbox import Mailbox
from tests.support.people import PASSWORD, Person
from tests.support.resets import mailed_token, reset
from tests.support.ways_in import NEW_PASSWORD, client_from, log_in, signed_in

SUBJECT = "A new sign-in to your Gatehouse account"


async def notices(mailbox: Mailbox, to: str = "ann@example.com") -> list[str]:
    return [mail["text"] for mail in await mailbox.mails(to) if mail["subject"] == SUBJECT]


async def test_first_sign_in_and_known_places_send_none(ann: Person, client: GraphQLClient, mailbox: Mailbox) -> None:
    await signed_in(client, ann.email, PASSWORD)
    await signed_in(client, ann.email, PASSWORD)

    assert await notices(mailbox) == []


async def test_new_program_is_told_once(ann: Person, client: GraphQLClient, mailbox: Mailbox) -> None:
    phone = {"user-agent": "Phone/7.1 (small; round)"}
    await signed_in(client, ann.email, PASSWORD, **phone)
    await signed_in(client, ann.email, PASSWORD, **phone)

    (text,) = await notices(mailbox)

    assert "198.51.100.7, Phone/7.1 (small; round)\n" in text
    assert "If it wasn't you" in text


async def test_new_address_is_told(ann: Person, gateway: Gateway, mailbox: Mailbox) -> None:
    async with client_from(gateway, "203.0.113.9") as elsewhere:
        await signed_in(elsewhere, ann.email, PASSWORD)

    (text,) = await notices(mailbox)

    assert "203.0.113.9" in text


async def test_failed_sign_in_tells_nothing(ann: Person, client: GraphQLClient, mailbox: Mailbox) -> None:
    (await log_in(client, ann.email, "not the password", **{"user-agent": "Phone"})).expect("InvalidCredentials")

    assert await notices(mailbox) == []


async def test_place_of_a_reset_is_known(ann: Person, gateway: Gateway, mailbox: Mailbox) -> None:
    async with client_from(gateway, "203.0.113.9") as elsewhere:
        (await reset(elsewhere, await mailed_token(elsewhere, mailbox))).expect("PasswordReset")
        await signed_in(elsewhere, ann.email, NEW_PASSWORD)

    assert await notices(mailbox) == []


def test_agent_brings_no_link_into_a_mail() -> None:
    told = named_agent(
        "Go to https://evil.example/now or www.evil.example\u2028<b>at once</b>, mailto:eve@evil.example"
    )

    assert told == "Go to https evil example/now or www evil example b at once /b , mailto:eve evil example"


def test_usual_agents_stay_readable() -> None:
    firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

    assert named_agent(firefox) == firefox
    assert named_agent("curl/8.5.0") == "curl/8.5.0"
    assert named_agent("") == named_agent("…") == "an unnamed client"
    assert len(named_agent("x" * 512)) == 120
