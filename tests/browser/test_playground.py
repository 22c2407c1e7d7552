import pytest
from playwright.sync_api import expect

from tests.browser.chromium import Witness
from tests.browser.playground_page import PlaygroundPage
from tests.support.gateway_process import GatewayProcess

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.slow]

ADDRESS = "ada@example.com"
REFUSED = "Failed to load resource: the server responded with a status of 401 (Unauthorized)"


def sign_up(playground: PlaygroundPage, gateway: GatewayProcess) -> None:
    playground.open(gateway.base_url)
    playground.run("SignUp")
    playground.use_code(playground.mails)
    playground.run("CompleteSignUp")
    expect(playground.bar).to_contain_text(f"Signed in as {ADDRESS}")


def test_walks_from_sign_up_to_a_revoked_key(
    playground: PlaygroundPage, gateway: GatewayProcess, witness: Witness
) -> None:
    sign_up(playground, gateway)
    playground.show("Make an API key")
    key = playground.run("CreateApiKey")["data"]["createApiKey"]
    playground.show("Read with the key")
    reader = playground.run("ReadWithApiKey")["data"]["viewer"]
    playground.show("Revoke the key")
    revoked = playground.run("RevokeApiKeys")["data"]["revokeApiKeys"]
    nothing_refused_before = not witness.console_errors
    playground.show("Read with the key")
    refused = playground.run("ReadWithApiKey")

    assert reader["email"] == ADDRESS
    assert reader["authentication"]["apiKey"]["id"] == key["apiKey"]["id"]
    assert revoked["ids"] == [key["apiKey"]["id"]]
    assert refused["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    expect(playground.answer).to_contain_text("UNAUTHENTICATED")

    assert nothing_refused_before
    assert witness.console_errors == [REFUSED]
    assert witness.foreign_requests == []
    expect(playground.bar).to_contain_text(f"Signed in as {ADDRESS}")


def test_session_outlives_a_reload_and_ends_with_sign_out(
    playground: PlaygroundPage, gateway: GatewayProcess, witness: Witness
) -> None:
    sign_up(playground, gateway)

    playground.open(gateway.base_url)
    expect(playground.bar).to_contain_text(f"Signed in as {ADDRESS}")
    playground.bar.get_by_role("button", name="Sign out", exact=True).click()
    expect(playground.bar).to_contain_text("Not signed in")
    playground.open(gateway.base_url)

    expect(playground.bar).to_contain_text("Not signed in")
    assert playground.page.evaluate("sessionStorage.length") == 0
    assert witness.console_errors == []


def test_refused_session_is_dropped_with_a_note(
    playground: PlaygroundPage, gateway: GatewayProcess, witness: Witness
) -> None:
    sign_up(playground, gateway)
    playground.page.evaluate("""() => {
        const kept = JSON.parse(sessionStorage['gatehouse.session']);
        sessionStorage['gatehouse.session'] = JSON.stringify({...kept, token: kept.token.slice(0, -4) + 'AAAA'});
    }""")

    playground.open(gateway.base_url)

    expect(playground.bar).to_contain_text("The session is not accepted any more")
    expect(playground.bar).to_contain_text("Not signed in")
    assert playground.page.evaluate("sessionStorage.length") == 0
    assert witness.console_errors == [REFUSED]


def test_nothing_secret_outlives_the_browser_tab(playground: PlaygroundPage, gateway: GatewayProcess) -> None:
    sign_up(playground, gateway)
    playground.show("Make an API key")
    playground.run("CreateApiKey")

    kept = playground.page.evaluate("JSON.stringify({...localStorage, cookies: document.cookie})")

    for secret in ("herons", "gate_", "eyJ", ADDRESS):
        assert secret not in kept


def test_token_of_a_mailed_link_leaves_the_address_bar(
    playground: PlaygroundPage, gateway: GatewayProcess, witness: Witness
) -> None:
    playground.open(f"{gateway.base_url}/graphql#resetToken=reset_0123456789")

    expect(playground.page).to_have_url(f"{gateway.base_url}/graphql")
    assert "reset_0123456789" not in gateway.output
    assert witness.foreign_requests == []


def test_a_bearer_typed_by_hand_wins_over_the_session(playground: PlaygroundPage, gateway: GatewayProcess) -> None:
    sign_up(playground, gateway)
    playground.show("Read with the key")

    answer = playground.run("ReadWithApiKey")

    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    expect(playground.bar).to_contain_text(f"Signed in as {ADDRESS}")


def test_sign_out_everywhere_keeps_this_page_signed_in(
    playground: PlaygroundPage, gateway: GatewayProcess, witness: Witness
) -> None:
    sign_up(playground, gateway)
    before = playground.page.evaluate("sessionStorage['gatehouse.session']")

    playground.bar.get_by_role("button", name="Sign out everywhere").click()

    expect(playground.bar).to_contain_text("Every other session of this account has ended.")
    expect(playground.bar).to_contain_text(f"Signed in as {ADDRESS}")
    assert playground.page.evaluate("sessionStorage['gatehouse.session']") != before
    assert witness.console_errors == []


def test_runs_by_keyboard_in_a_small_dark_window(
    playground: PlaygroundPage, gateway: GatewayProcess, witness: Witness
) -> None:
    playground.page.set_viewport_size({"width": 400, "height": 700})
    playground.page.emulate_media(color_scheme="dark")
    playground.open(gateway.base_url)

    playground.editor("graphiql-query-editor").click()
    playground.page.keyboard.press("Control+Enter")

    expect(playground.mails).to_have_count(1)
    assert playground.page.evaluate("document.documentElement.scrollWidth") <= 400
    assert witness.console_errors == []
