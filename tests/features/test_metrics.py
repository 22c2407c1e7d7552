import httpx

from tests.support.people import Person


async def test_metrics_count_answers_and_events(http: httpx.AsyncClient, ann: Person) -> None:
    await http.get("/healthz")

    answer = await http.get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain")
    assert 'gatehouse_http_requests_total{path="/healthz",status="200"}' in answer.text
    assert 'gatehouse_security_events_total{kind="SIGNED_UP"}' in answer.text
    assert ann.email not in answer.text
    assert "process_resident_memory_bytes" in answer.text
    assert "version" not in answer.text


async def test_paths_that_clients_make_up_share_one_series(http: httpx.AsyncClient) -> None:
    await http.get("/no-such-page-31337")

    answer = await http.get("/metrics")

    assert 'path="other",status="404"' in answer.text
    assert "31337" not in answer.text
