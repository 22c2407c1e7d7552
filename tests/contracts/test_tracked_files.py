import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Put together here, so that this file names none of them either.
REGISTRIES = [
    ".".join(parts)
    for parts in [
        ("pypi", "org"),
        ("files", "pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("registry", "yarnpkg", "com"),
        ("deb", "debian", "org"),
        ("archive", "ubuntu", "com"),
    ]
]
MACHINE_PATH = re.compile(r"(?<![\w./-])/(?:work|root|home/\w+|Users/\w+)/")
"""A folder of whoever wrote the file, not of whoever runs it."""


def test_no_file_says_where_packages_come_from() -> None:
    named = [f"{path}: {host}" for path, text in tracked_texts() for host in REGISTRIES if host in text]

    assert named == []


def test_no_file_knows_a_machine_that_it_was_written_on() -> None:
    known = [f"{path}: {found[0]}" for path, text in tracked_texts() if (found := MACHINE_PATH.search(text))]

    assert known == []


def tracked_texts() -> list[tuple[str, str]]:
    """Every file that a clone would have, and its text where it has one."""
    # A checkout may belong to another user than the one that runs the tests.
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    paths = [ROOT / name for name in names.split("\0") if name]
    return [(str(path.relative_to(ROOT)), path.read_text(errors="replace")) for path in paths if path.is_file()]
