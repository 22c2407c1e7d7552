"""docs/fleet-roles.md holds the code's own table. `python -m tests.contracts.test_fleet_roles_page` writes it anew."""

from pathlib import Path

from resolvers import permissions

PAGE = Path(__file__).resolve().parents[2] / "docs" / "fleet-roles.md"
BEFORE, AFTER = "<!-- the table begins -->\n", "<!-- the table ends -->\n"


def with_present_table(page: str) -> str:
    """The page with the code's table between its two marks."""
    head, _, rest = page.partition(BEFORE)
    _, _, tail = rest.partition(AFTER)
    return f"{head}{BEFORE}{permissions.table()}{AFTER}{tail}"


def test_page_has_the_table_that_the_code_goes_by() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert page == with_present_table(page)


if __name__ == "__main__":
    PAGE.write_text(with_present_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
