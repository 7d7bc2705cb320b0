"""The first command a person gives, on a disk that is full or read-only: nothing is left, and the sentence says why."""

import os
import resource
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.installed import GATEKEY, PATIENCE

ADD: Final = ("admin", "user", "add", "alice", "--email", "a@b.example", "--password-stdin")
PASSWORD: Final = "correct horse battery staple"


def run(home: Path, *, prepare: Callable[[], None] | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(GATEKEY), *ADD],
        input=PASSWORD,
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(home), **more},
        preexec_fn=prepare,
        timeout=PATIENCE,
        check=False,
    )


@pytest.mark.parametrize("limit", [0, 40, 4096, 65_536])
def test_a_disk_without_room_leaves_nothing(tmp_path: Path, limit: int) -> None:
    """No file may grow beyond `limit` bytes: the key first does not fit, then the database."""
    ran = run(tmp_path, prepare=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    assert ran.returncode == 1
    assert ran.stderr.startswith("gatekey: ")
    assert "fault" not in ran.stderr
    assert list(tmp_path.rglob("*")) == []


def test_a_home_that_is_read_only_is_named_with_the_reason(tmp_path: Path) -> None:
    """/proc is a file system on which nobody may make anything, root included."""
    ran = run(Path("/proc"))
    assert ran.returncode == 1
    assert "/proc/.config/gatekey/key could not be created: No such file or directory." in ran.stderr
    ran = run(tmp_path, XDG_DATA_HOME="/proc/share")
    assert ran.returncode == 1
    assert "/proc/share/gatekey/gatekey.sqlite3 could not be created: No such file or directory." in ran.stderr
    assert list(tmp_path.rglob("*")) == []


def _open_umask() -> None:
    os.umask(0)


def test_a_first_command_makes_private_folders_whatever_the_umask(tmp_path: Path) -> None:
    ran = run(tmp_path, prepare=_open_umask)
    assert ran.returncode == 0, ran.stderr
    modes = {str(path.relative_to(tmp_path)): path.stat().st_mode & 0o777 for path in tmp_path.rglob("*")}
    assert modes == {
        ".config": 0o700,
        ".config/gatekey": 0o700,
        ".config/gatekey/key": 0o600,
        ".local": 0o700,
        ".local/share": 0o700,
        ".local/share/gatekey": 0o700,
        ".local/share/gatekey/gatekey.sqlite3": 0o600,
    }
