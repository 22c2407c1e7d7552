import pytest

from tests.transport.service import Service, make_service


@pytest.fixture
def service() -> Service:
    return make_service()
