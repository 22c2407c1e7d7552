"""Instants as clients write them."""

import re
from datetime import UTC, datetime

from kit.errors import InvalidInput

# RFC 3339 section 5.6. The standard library reads more of ISO 8601 than that: weeks, hours alone, any letter for the T.
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})", re.ASCII | re.IGNORECASE)


def clean_instant(value: str | None, path: str) -> datetime | None:
    """An RFC 3339 instant in UTC; None stays None. Raises InvalidInput."""
    if value is None:
        return None
    try:
        utc = datetime.fromisoformat(value.upper()).astimezone(UTC) if _INSTANT.fullmatch(value) else None
    except (ValueError, OverflowError):
        utc = None
    if utc is None:
        raise InvalidInput.of(path, "is not an instant: write it as 2030-01-31T12:00:00Z")
    return utc
