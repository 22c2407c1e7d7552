"""Instants as clients write them."""

from datetime import UTC, datetime

from kit.errors import InvalidInput


def clean_instant(value: str | None, path: str) -> datetime | None:
    """An RFC 3339 instant in UTC; None stays None. Raises InvalidInput."""
    if value is None:
        return None
    try:
        instant = datetime.fromisoformat(value)
        # A time without a zone would be read as the server's own.
        utc = instant.astimezone(UTC) if instant.tzinfo else None
    except (ValueError, OverflowError):
        utc = None
    if utc is None:
        raise InvalidInput.of(path, "is not an instant: write it as 2030-01-31T12:00:00Z")
    return utc
