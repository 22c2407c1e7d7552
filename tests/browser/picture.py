"""Takes the README's picture: the playground of a real gateway, just after the first key was made."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.chromium import find_chromium, running_chromium
from tests.browser.playground_page import PlaygroundPage
from tests.support.gateway_process import running_gateway

PICTURE = Path(__file__).resolve().parents[2] / "docs" / "playground.png"


def take(chromium: str, folder: Path) -> None:
    with running_gateway(folder) as gateway, running_chromium(chromium) as browser:
        page = browser.new_page(viewport={"width": 1360, "height": 850}, locale="en-GB", color_scheme="light")
        playground = PlaygroundPage(page)
        playground.open(gateway.base_url)
        playground.run("SignUp")
        playground.use_code(playground.mails)
        playground.run("CompleteSignUp")
        playground.show("Make an API key")
        playground.run("CreateApiKey")
        expect(playground.answer).to_contain_text("ApiKeyCreated")
        expect(playground.mails).to_have_count(2)
        page.mouse.move(0, 0)
        page.screenshot(path=PICTURE, animations="disabled")


def main() -> None:
    chromium = find_chromium()
    if chromium is None:
        sys.exit("The picture needs a Chromium: install Debian's package chromium, or Google Chrome.")
    with tempfile.TemporaryDirectory() as folder:
        take(chromium, Path(folder))


if __name__ == "__main__":
    main()
