"""A mail server's certificate, and trust in it."""

from pathlib import Path

import pytest

from tests.support.mail_server import make_certificate


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that nobody trusts yet."""
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The certificate, as one that this machine trusts: OpenSSL's own setting."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    return certificate
