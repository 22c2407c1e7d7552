"""Node projects of tests: run with the Node beside this Python, or with one that the machine has."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PATIENCE_SECONDS = 120

_PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"


def run_node(folder: Path, *arguments: str) -> str:
    """Run a script, or a program of the project's packages, in its folder; give what it printed. Fails with it."""
    node = shutil.which("node", path=_PATH)
    if node is None or not (folder / "node_modules").is_dir():
        pytest.skip(f"the packages of {folder.name} are not installed: run `make setup`")
    done = subprocess.run(
        [node, *arguments],
        cwd=folder,
        env=os.environ | {"PATH": _PATH},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
