"""Media types: what a body may be, and in which form its answer is wanted (RFC 9110 section 12.5.1)."""

import re
from enum import Enum
from functools import lru_cache


class Media(Enum):
    """The forms of an answer. The order decides between what a client wants equally, unless it names one of them."""

    JSON = "application/json"
    GRAPHQL = "application/graphql-response+json"
    EVENT_STREAM = "text/event-stream"
    HTML = "text/html"

    @property
    def content_type(self) -> bytes:
        return f"{self.value}; charset=utf-8".encode()


_ANSWERS = (Media.JSON, Media.GRAPHQL)
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - a token in the sense of HTTP's grammar
_QUOTED = r'"[^"\\,]*"'
_PARAMETER = re.compile(rf"\s*;\s*({_TOKEN})=({_TOKEN}|{_QUOTED})")
_LONGEST_HEADER = 1024
_TOO_SPECIFIC = 3


@lru_cache(maxsize=256)
def is_json(content_type: bytes) -> bool:
    """Whether a body of this type is read: exactly `application/json`, its charset left out or UTF-8."""
    # SECURITY: an exact match. `text/plain, application/json` contains the words, and browsers send it unasked.
    text = content_type[:_LONGEST_HEADER].decode("latin-1").strip().lower()
    essence, separator, rest = text.partition(";")
    if essence.strip() != Media.JSON.value:
        return False
    parameters = _parameters(separator + rest)
    charsets = [value for name, value in parameters or () if name == "charset"]
    return parameters is not None and charsets in ([], ["utf-8"])


def _parameters(text: str) -> list[tuple[str, str]] | None:
    """The parameters after a media type, None if they are malformed."""
    found, position = [], 0
    while match := _PARAMETER.match(text, position):
        found.append((match[1], match[2].strip('"')))
        position = match.end()
    return None if text[position:].strip(" \t;") else found


@lru_cache(maxsize=256)
def choose(accept: bytes, may_stream: bool = False, may_be_html: bool = False) -> Media | None:
    """The form the client likes best among those on offer; None if it takes none of them.

    No Accept at all means `application/json`, and so does a wildcard.
    """
    ranges = _ranges(accept[:_LONGEST_HEADER].decode("latin-1").lower())
    if not ranges:
        return Media.JSON
    offered = [*_ANSWERS, *([Media.EVENT_STREAM] * may_stream), *([Media.HTML] * may_be_html)]
    # A form that ends up with quality 0 was named only to be excluded.
    ranked = [(_preference(media, ranges), media) for media in offered]
    (quality, *_), best = max(ranked, key=lambda entry: entry[0])
    return best if quality > 0 else None


@lru_cache(maxsize=256)
def takes(accept: bytes, media: Media) -> bool:
    """Whether this form is taken at all, however little it is liked."""
    return _preference(media, _ranges(accept[:_LONGEST_HEADER].decode("latin-1").lower()))[0] > 0


def _preference(media: Media, ranges: list[tuple[str, float]]) -> tuple[float, int, int]:
    """Quality, how closely it was named, and how early."""
    major = media.value.partition("/")[0]
    for closeness, name in enumerate((media.value, f"{major}/*", "*/*")):
        for place, (pattern, quality) in enumerate(ranges):
            # A wildcard says nothing of these two: whoever wants a page or a stream names it.
            if pattern == name and (closeness == 0 or media in _ANSWERS):
                return quality, _TOO_SPECIFIC - closeness, -place if closeness == 0 else 0
    return 0.0, 0, 0


def _ranges(accept: str) -> list[tuple[str, float]]:
    parts = [part.partition(";") for part in accept.split(",")]
    return [(name.strip(), _quality(parameters)) for name, _, parameters in parts if name.strip()]


def _quality(parameters: str) -> float:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            return _number(value.strip())
    return 1.0


def _number(text: str) -> float:
    """A weight from 0 to 1; one that is malformed counts as 0, so that nothing is served on a guess."""
    return float(text) if re.fullmatch(r"0(\.\d{0,3})?|1(\.0{0,3})?", text) else 0.0
