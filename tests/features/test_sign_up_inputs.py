"""What nobody can sign up with (SU-5): told with its path, and nothing is begun."""

import pytest

from tests.features.test_accounts import EMAIL
from tests.support.graphql_client import GraphQLClient
from tests.support.mailbox import Mailbox
from tests.support.people import PASSWORD, SIGN_UP
from tests.support.stored import stored

ODD_ADDRESSES = [
    "",
    "   ",
    "eve",
    "eve@",
    "@example.com",
    "eve@localhost",
    "eve@example.com, ann@example.com",
    "eve@example.com\r\nBcc: ann@example.com",
    "eve@example.com\n",
    "eve\u0000@example.com",
    "eve@exa\u0000mple.com",
    "eve@example.com\u0000",
    "eve\ud800@example.com",
    "eve@example.com\udfff",
    "eve\u0007@example.com",
    "eve\u2028@example.com",
    "eve\u202e@example.com",
    "e\u200dve@example.com",
    "\uff45ve@example.com",
    "\u0435ve@example.com",
    f"{'e' * 65}@example.com",
    f"eve@{'e' * 250}.com",
    "e" * 60_000,
]


ODD_PASSWORDS = [
    "",
    "short",
    "seven 7",
    "x" * 257,
    "a long enough\u0000passphrase",
    "a long enough\ud800passphrase",
    "a long enough\npassphrase",
    "a long enough\u001bpassphrase",
    "password1",
    "gatehouse2026!",
    "eve@example.com",
]


@pytest.mark.parametrize("email", ODD_ADDRESSES)
async def test_odd_address_begins_nothing(client: GraphQLClient, mailbox: Mailbox, email: str) -> None:
    answer = await client.run(SIGN_UP, email=email, password=PASSWORD)

    assert [problem["path"] for problem in answer.expect("InvalidInput")["fields"]] == ["input.email"]
    assert answer.root["code"] == "INVALID_INPUT"
    assert set((await stored()).values()) == {0}
    assert await mailbox.mails() == []


@pytest.mark.parametrize("password", ODD_PASSWORDS)
async def test_odd_password_begins_nothing(client: GraphQLClient, mailbox: Mailbox, password: str) -> None:
    answer = await client.run(SIGN_UP, email=EMAIL, password=password)

    assert [problem["path"] for problem in answer.expect("InvalidInput")["fields"]] == ["input.password"]
    assert set((await stored()).values()) == {0}
    assert await mailbox.mails() == []


async def test_all_that_is_wrong_is_told_at_once(client: GraphQLClient) -> None:
    answer = await client.run(SIGN_UP, email="nobody", password="short")

    assert [problem["path"] for problem in answer.expect("InvalidInput")["fields"]] == ["input.email", "input.password"]


@pytest.mark.parametrize("value", [1, True, ["eve@example.com"], {"address": "eve@example.com"}, None])
async def test_address_is_one_string(client: GraphQLClient, value: object) -> None:
    answer = await client.run(SIGN_UP, email=value, password=PASSWORD)

    assert answer.error_codes == ["BAD_REQUEST"]
    assert set((await stored()).values()) == {0}
