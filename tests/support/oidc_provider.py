"""A real OpenID provider, in a process of its own."""

import os
import subprocess
import sys
from urllib.parse import quote

import httpx

from tests.support.services import HOST, PATIENCE_SECONDS, Service
from tests.support.social import Approve


class OidcProvider(Service):
    """`oidc-provider-mock`: it takes every client, and every person that it is told of."""

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def person(self, subject: str, **claims: object) -> Approve:
        """Somebody with these claims, who will approve."""
        known = httpx.put(f"{self.url}/users/{quote(subject)}", json=claims, timeout=PATIENCE_SECONDS)
        known.raise_for_status()

        async def approve(url: str) -> str:
            async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as browser:
                answer = await browser.post(url, data={"sub": subject})
            assert answer.status_code == 302, answer.text
            return answer.headers["location"]

        return approve

    def _spawn(self, log: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(self.port), "--require-nonce", "true"]
        return subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=dict(os.environ))

    def _is_up(self) -> bool:
        try:
            return httpx.get(f"{self.url}/.well-known/openid-configuration").is_success
        except httpx.TransportError:
            return False
