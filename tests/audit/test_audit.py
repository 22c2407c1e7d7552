"""The audit suite of GraphQL over HTTP, run by Node against the gateway as it is served.

Four audits ask for `__type`, so they hold only where introspection is on.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.gateway_process import running_gateway

FOLDER = Path(__file__).parent
PATIENCE_SECONDS = 60


@pytest.mark.process
def test_every_audit_passes(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None or not (FOLDER / "node_modules").is_dir():
        pytest.skip("the audit suite is not installed: run `make setup`")

    with running_gateway(tmp_path) as gateway:
        audit = subprocess.run(
            [node, "run.mjs", f"{gateway.base_url}/graphql"],
            cwd=FOLDER,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )

    assert audit.returncode == 0, audit.stdout + audit.stderr
    assert "61 of 61 audits passed (13 MUST, 23 SHOULD, 25 MAY)" in audit.stdout
