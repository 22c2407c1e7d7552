"""What a client calls itself, made fit for a mail."""

import re

LONGEST = 120

_UNUSUAL = re.compile(r"[^A-Za-z0-9 _/().,;:+-]+")
_OF_A_LINK = re.compile(r"(?<=[A-Za-z0-9-])\.(?=[A-Za-z])|:(?=/)|/(?=/)|(?<=/)/")


def named_agent(user_agent: str) -> str:
    """The agent's own words, cut short.

    SECURITY: a stranger can have a notice mailed to anybody and chooses these words, so no mail program may find a
    link in them.
    """
    plain = _OF_A_LINK.sub(" ", _UNUSUAL.sub(" ", user_agent))
    return " ".join(plain.split())[:LONGEST].strip() or "an unnamed client"
