"""A gateway whose Google is a real OpenID provider's process, and whose GitHub is a double on a socket."""

from collections.abc import Iterator

import pytest

from kit.settings import Settings
from tests.support import github_double
from tests.support.github_double import GitHubDouble
from tests.support.http_double import doubling
from tests.support.oidc_provider import OidcProvider
from tests.support.openid_double import OpenIdDouble
from tests.support.services import running


@pytest.fixture(scope="session")
def google() -> Iterator[OidcProvider]:
    """One that all tests of a run share: each has people of its own there."""
    with running(OidcProvider) as provider:
        yield provider


@pytest.fixture
def github() -> Iterator[GitHubDouble]:
    """One for each test."""
    with doubling(GitHubDouble) as double:
        yield double


@pytest.fixture
def openid() -> Iterator[OpenIdDouble]:
    """One for each test, that can be told to lie."""
    with doubling(OpenIdDouble) as double:
        yield double


@pytest.fixture
def google_issuer(google: OidcProvider) -> str:
    """Who the gateway takes for Google; a test file may put somebody else here."""
    return google.url


@pytest.fixture
def settings(settings: Settings, google_issuer: str, github: GitHubDouble) -> Settings:
    """Both are configured."""
    return settings.model_copy(
        update={
            "google_client_id": "gatehouse-at-google",
            "google_client_secret": "known to both",
            "google_issuer": google_issuer,
            "github_client_id": github_double.CLIENT_ID,
            "github_client_secret": github_double.CLIENT_SECRET,
            "github_url": github.url,
            "github_api_url": github.url,
        }
    )
