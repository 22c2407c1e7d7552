"""What the process counts for Prometheus. Labels have few values, and none that a client chooses."""

import os

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

SHARED_FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""prometheus-client's own variable: the folder in which several workers keep their counts for each other."""

# SECURITY: not the library's own, which says which Python this is, to the last digit (ASVS 13.4.6).
_REGISTRY = CollectorRegistry()
ProcessCollector(registry=_REGISTRY)

REQUESTS = Counter("gatehouse_http_requests", "Answers, by path and status.", ["path", "status"], registry=_REGISTRY)
SECONDS = Histogram(
    "gatehouse_http_request_seconds",
    "Time to the whole answer, by path.",
    ["path"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=_REGISTRY,
)
SECURITY_EVENTS = Counter(
    "gatehouse_security_events", "Security events that were kept, by kind.", ["kind"], registry=_REGISTRY
)
HASHES_REFUSED = Counter(
    "gatehouse_hashes_refused", "Password hashes refused because too many were waiting.", registry=_REGISTRY
)
MAILS = Counter("gatehouse_mails", "Mails handed over or put off.", ["outcome"], registry=_REGISTRY)


def as_text() -> bytes:
    """All counts in Prometheus's text format: of all workers, where they share a folder."""
    if SHARED_FOLDER_VARIABLE not in os.environ:
        return generate_latest(_REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call] # prometheus-client leaves it untyped
    return generate_latest(registry)
