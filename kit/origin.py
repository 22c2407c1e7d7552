"""Where a request came from: what security events and notice mails say of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """The client's address (trusted proxies taken off), its user agent (512 characters at most), the request's id."""

    ip_address: str
    user_agent: str
    request_id: str
