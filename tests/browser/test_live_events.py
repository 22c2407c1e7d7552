import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.chromium import Witness
from tests.browser.playground_page import PlaygroundPage
from tests.browser.test_playground import ADDRESS, sign_up
from tests.support.gateway_process import GatewayProcess

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.slow]

SIGN_OUT_EVERYWHERE = "mutation { signOutEverywhere { __typename } }"


def kept_token(playground: PlaygroundPage) -> str:
    return str(playground.page.evaluate("JSON.parse(sessionStorage['gatehouse.session']).token"))


def test_page_shows_events_live_and_hears_of_its_session_ending_elsewhere(
    playground: PlaygroundPage, gateway: GatewayProcess, witness: Witness
) -> None:
    sign_up(playground, gateway)
    live = playground.page.get_by_role("region", name="Live events")
    expect(live).to_contain_text("Listening")

    playground.show("Make an API key")
    playground.run("CreateApiKey")
    expect(live.get_by_role("listitem")).to_contain_text(["API key created"])

    # Somebody else with the same session, as another browser tab would be.
    headers = {"authorization": f"Bearer {kept_token(playground)}"}
    ended = httpx.post(f"{gateway.base_url}/graphql", json={"query": SIGN_OUT_EVERYWHERE}, headers=headers)

    assert ended.json()["data"]["signOutEverywhere"]["__typename"] == "SessionStarted"
    expect(playground.bar).to_contain_text("Not signed in")
    expect(playground.bar).not_to_contain_text(ADDRESS)
    assert witness.foreign_requests == []
