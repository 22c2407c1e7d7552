import pytest
from playwright.sync_api import expect

from tests.browser.chromium import Witness
from tests.browser.playground_page import PlaygroundPage
from tests.support.gateway_process import GatewayProcess

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.slow]


def test_walks_to_a_demonstration_provider_and_back(
    playground: PlaygroundPage, gateway: GatewayProcess, witness: Witness
) -> None:
    playground.open(gateway.base_url)
    page = playground.page
    playground.unfold("Social login")
    playground.show("Begin a social login")
    started = playground.run("BeginSocialLogin")["data"]["beginSocialLogin"]
    page.get_by_role("link", name="Go on at the provider").click()
    expect(page.get_by_role("heading", name="Demonstration of GitHub")).to_be_visible()
    page.get_by_role("textbox", name="Address").fill("grace@example.com")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{gateway.base_url}/graphql*")
    expect(playground.open_step).to_contain_text("Complete the social login")
    session = playground.run("CompleteSocialLogin")["data"]["completeSocialLogin"]

    assert started["authorizationUrl"].startswith(f"{gateway.base_url}/demo/github/")
    assert session["account"]["email"] == "grace@example.com"
    assert witness.console_errors == []
    assert witness.foreign_requests == []
