"""The phone's side of pairing is played by a QR reader that looks at the page's own pixels."""

from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import expect

from tests.browser.playground_page import PlaygroundPage
from tests.browser.test_playground import ADDRESS, sign_up
from tests.support.authenticator import read_qr
from tests.support.gateway_process import GatewayProcess

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.slow]


def scan(playground: PlaygroundPage) -> str:
    """What a camera reads from the picture as the browser has drawn it."""
    picture = playground.page.locator("img.qr")
    picture.scroll_into_view_if_needed()
    return read_qr(picture.screenshot())


def test_phone_pairs_by_the_picture_on_the_page(
    playground: PlaygroundPage, gateway: GatewayProcess, tmp_path: Path
) -> None:
    sign_up(playground, gateway)
    playground.unfold("Two-factor authentication")
    playground.show("Pair an authenticator app")
    pairing = playground.run("BeginTwoFactorPairing")["data"]["beginTwoFactorPairing"]

    phone = pyotp.parse_uri(scan(playground))
    assert isinstance(phone, pyotp.TOTP)
    playground.show("Confirm the pairing")
    playground.fill_variables({"code": phone.now()})
    enabled = playground.run("ConfirmTwoFactorPairing")["data"]["confirmTwoFactorPairing"]
    with playground.page.expect_download() as download:
        playground.page.get_by_role("link", name="Download as text file").click()
    download.value.save_as(tmp_path / "codes.txt")

    assert phone.name == ADDRESS
    assert phone.secret == pairing["manualEntryKey"].replace(" ", "")
    assert enabled["__typename"] == "TwoFactorEnabled"
    assert all(code in (tmp_path / "codes.txt").read_text() for code in enabled["recoveryCodes"])
    expect(playground.bar).to_contain_text(f"Signed in as {ADDRESS}")
