"""The playground as a person uses it: by what stands on its buttons."""

import json
from typing import Any

from playwright.sync_api import Locator, Page, Request

SETTLED_MILLISECONDS = 20_000


class PlaygroundPage:
    def __init__(self, page: Page) -> None:
        self.page = page
        page.set_default_timeout(SETTLED_MILLISECONDS)

    def open(self, url: str) -> None:
        """Open the page and wait until its editors stand."""
        self.page.goto(url)
        self.editor("graphiql-query-editor").wait_for()

    @property
    def bar(self) -> Locator:
        return self.page.get_by_role("banner")

    @property
    def answer(self) -> Locator:
        return self.page.get_by_role("region", name="Result Window")

    @property
    def mails(self) -> Locator:
        return self.page.get_by_role("region", name="Mails").get_by_role("article")

    @property
    def open_step(self) -> Locator:
        return self.page.get_by_role("navigation", name="Try it").locator("[aria-current=true]")

    def editor(self, place: str) -> Locator:
        return self.page.locator(f".{place} .view-lines")

    def unfold(self, group: str) -> None:
        """Open a group of steps that is folded."""
        self.page.get_by_role("navigation", name="Try it").get_by_text(group, exact=True).click()

    def show(self, step: str) -> None:
        self.page.get_by_role("navigation", name="Try it").get_by_role("button", name=step).click()

    def use_code(self, mail: Locator) -> None:
        mail.get_by_role("button", name="Use it").click()

    def fill_variables(self, variables: dict[str, str]) -> None:
        """Type them over what stands in the variables' editor."""
        self.editor("graphiql-editor-tool").first.click()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(json.dumps(variables))
        # The editor has closed quotes and brackets that were closed already.
        self.page.keyboard.press("Control+Shift+End")
        self.page.keyboard.press("Delete")

    def run(self, operation: str) -> dict[str, Any]:
        """Send the open tab, which is that operation, and give the gateway's answer."""

        def is_ours(request: Request) -> bool:
            return request.method == "POST" and (request.post_data_json or {}).get("operationName") == operation

        with self.page.expect_response(lambda response: is_ours(response.request)) as response:
            self.page.get_by_role("button", name="Execute query").click()
        answer: dict[str, Any] = response.value.json()
        return answer
