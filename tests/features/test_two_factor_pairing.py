from datetime import timedelta
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from kit import clock
from tests.support.authenticator import STEP, Authenticator, scan
from tests.support.graphql_client import GraphQLClient
from tests.support.mailbox import Mailbox
from tests.support.people import Person, sign_up
from tests.support.two_factor import (
    BEGIN,
    CONFIRM,
    DISABLE,
    LOG_IN,
    STATUS,
    enable_two_factor,
    guarded,
    kinds,
    pair,
)

CREATE_KEY = 'mutation { createApiKey(input: {name: "robot"}) { __typename ... on ApiKeyCreated { key } } }'
OPTIONS = "{ signInOptions { verifiedAuthenticatorApps { name url } } }"


async def test_begun_pairing_switches_nothing_on(ann: Person, client: GraphQLClient, mailbox: Mailbox) -> None:
    mails = len(await mailbox.mails())

    pairing = (await ann.client.run(BEGIN)).expect("TwoFactorPairing")

    phone = Authenticator.scanning(pairing["qrSvg"])
    assert scan(pairing["qrSvg"]) == pairing["otpauthUri"]
    assert (phone.issuer, phone.account) == ("Gatehouse", ann.email)
    assert pairing["manualEntryKey"].replace(" ", "") == phone.secret
    assert {len(group) for group in pairing["manualEntryKey"].split(" ")} == {4}
    status = (await ann.client.run(STATUS)).root
    assert status["twoFactor"] == {"enabled": False, "enabledAt": None, "recoveryCodesRemaining": 0}
    assert kinds(status) == ["SIGNED_UP"]
    assert len(await mailbox.mails()) == mails
    (await client.run(LOG_IN, email=ann.email, password=ann.password)).expect("SessionStarted")


async def test_picture_holds_shapes_only_whatever_the_address(client: GraphQLClient, mailbox: Mailbox) -> None:
    odd = await sign_up(client, mailbox, email="o'b&issuer=evil+x@example.com")

    pairing = (await odd.client.run(BEGIN)).expect("TwoFactorPairing")

    tags = {element.tag.rpartition("}")[2] for element in ET.fromstring(pairing["qrSvg"]).iter()}  # noqa: S314 - our own
    assert tags == {"svg", "title", "path"}
    phone = Authenticator.scanning(pairing["qrSvg"])
    assert (phone.issuer, phone.account) == ("Gatehouse", odd.email)


async def test_right_code_switches_it_on_and_ends_other_sessions(ann: Person, mailbox: Mailbox) -> None:
    phone = await pair(ann)

    person = guarded(ann, phone, await ann.client.run(CONFIRM, code=phone.code())).person

    status = (await person.client.run(STATUS)).root
    assert status["twoFactor"]["enabled"]
    assert status["twoFactor"]["enabledAt"].endswith("Z")
    assert status["twoFactor"]["recoveryCodesRemaining"] == 10
    assert status["authentication"]["methods"] == ["PASSWORD", "TOTP"]
    assert kinds(status) == ["TWO_FACTOR_ENABLED", "SIGNED_UP"]
    assert "Two-factor authentication is on" in (await mailbox.newest(ann.email))["subject"]
    assert (await ann.client.run(STATUS)).status == 401


async def test_recovery_codes_are_ten_long_and_different(ann: Person) -> None:
    codes = (await enable_two_factor(ann)).recovery_codes

    characters = {character for code in codes for character in code}
    assert len(set(codes)) == 10
    # 32 letters and digits of five bits each.
    assert {len(code.replace("-", "")) * 5 for code in codes} == {80}
    assert characters <= set("0123456789abcdefghjkmnpqrstvwxyz-")


async def test_pairing_code_is_spent(ann: Person) -> None:
    phone = await pair(ann)
    code = phone.code()
    guard = guarded(ann, phone, await ann.client.run(CONFIRM, code=code))

    refused = await guard.complete(code=code)
    former = await guard.complete(code=phone.code(-1))

    assert refused.expect("InvalidCode")["clockSkewSeconds"] is None
    former.expect("InvalidCode")


async def test_wrong_code_leaves_it_off(ann: Person, mailbox: Mailbox) -> None:
    phone = await pair(ann)
    mails = len(await mailbox.mails())

    refused = (await ann.client.run(CONFIRM, code=phone.code(-2))).expect("InvalidCode")

    status = (await ann.client.run(STATUS)).root
    assert refused["clockSkewSeconds"] == -60
    assert not status["twoFactor"]["enabled"]
    assert kinds(status) == ["SIGNED_UP"]
    assert len(await mailbox.mails()) == mails


async def test_pairing_is_throttled(ann: Person) -> None:
    phone = await pair(ann)
    for _ in range(5):
        (await ann.client.run(CONFIRM, code=phone.code(-20))).expect("InvalidCode")

    refused = await ann.client.run(CONFIRM, code=phone.code())

    refused.expect("TooManyAttempts")
    assert not (await ann.client.run(STATUS)).root["twoFactor"]["enabled"]


async def test_new_pairing_replaces_the_pending_one(ann: Person) -> None:
    first, second = await pair(ann), await pair(ann)

    refused = await ann.client.run(CONFIRM, code=first.code())
    confirmed = await ann.client.run(CONFIRM, code=second.code())

    refused.expect("InvalidCode")
    confirmed.expect("TwoFactorEnabled")


async def test_pending_pairing_expires(ann: Person) -> None:
    phone = await pair(ann)
    clock.shift(timedelta(minutes=15, seconds=1))

    refused = (await ann.client.run(CONFIRM, code=phone.code())).expect("Refused")

    assert refused["code"] == "PAIRING_NOT_STARTED"
    assert not (await ann.client.run(STATUS)).root["twoFactor"]["enabled"]


async def test_code_without_a_pairing_is_refused_and_not_counted(ann: Person) -> None:
    refusals = [(await ann.client.run(CONFIRM, code="123456")).expect("Refused")["code"] for _ in range(7)]

    assert set(refusals) == {"PAIRING_NOT_STARTED"}


async def test_enabled_app_cannot_be_replaced(ann: Person) -> None:
    guard = await enable_two_factor(ann)

    begun = (await guard.person.client.run(BEGIN)).expect("Refused")
    confirmed = (await guard.person.client.run(CONFIRM, code=guard.phone.next_code())).expect("Refused")

    assert {begun["code"], confirmed["code"]} == {"TWO_FACTOR_ALREADY_ENABLED"}
    await guard.sign_in()


async def test_pairing_needs_a_fresh_sign_in(ann: Person) -> None:
    clock.shift(timedelta(seconds=901))

    refused = (await ann.client.run(BEGIN)).expect("StepUpRequired")

    assert (refused["methods"], refused["maxAgeSeconds"]) == (["PASSWORD"], 900)


async def test_api_key_does_nothing_of_it(ann: Person) -> None:
    key = (await ann.client.run(CREATE_KEY)).expect("ApiKeyCreated")["key"]
    phone, robot = await pair(ann), ann.client.bearing(key)

    begun = (await robot.run(BEGIN)).expect("StepUpRequired")
    confirmed = (await robot.run(CONFIRM, code=phone.code())).expect("Refused")
    disabled = (await robot.run(DISABLE, password=ann.password)).expect("Refused")

    assert begun["code"] == "STEP_UP_REQUIRED"
    assert {confirmed["code"], disabled["code"]} == {"SESSION_REQUIRED"}
    assert not (await ann.client.run(STATUS)).root["twoFactor"]["enabled"]


@pytest.mark.parametrize(
    ("document", "variables"), [(BEGIN, {}), (CONFIRM, {"code": "123456"}), (DISABLE, {"password": "a passphrase"})]
)
async def test_guest_does_nothing_of_it(client: GraphQLClient, document: str, variables: dict[str, Any]) -> None:
    answer = await client.run(document, **variables)

    assert answer.error_codes == ["UNAUTHENTICATED"]


async def test_code_of_the_former_step_confirms_too(ann: Person) -> None:
    phone = await pair(ann)

    confirmed = await ann.client.run(CONFIRM, code=phone.code_at(clock.now() - STEP))

    confirmed.expect("TwoFactorEnabled")


async def test_sign_in_options_name_apps_that_work(client: GraphQLClient) -> None:
    apps = (await client.run(OPTIONS)).root["verifiedAuthenticatorApps"]

    assert [app["name"] for app in apps] == ["Google Authenticator", "Authy", "1Password"]
    assert all(app["url"].startswith("https://") for app in apps)
