"""The host key of `gatekey ssh`: made once, private, and refused where others can read it."""

import stat
import subprocess
from pathlib import Path

import pytest

from store.errors import HostKeyUnusable
from tests import parts
from tui.commands import doctor_host_key
from tui.commands.findings import Level
from tui.ssh_host_key import FILE_NAME, fingerprint, host_key_path, load_host_key, load_or_make_host_key
from tui.store_location import Options


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config" / FILE_NAME


def test_it_is_made_once(path: Path) -> None:
    made = load_or_make_host_key(path)
    assert load_or_make_host_key(path) == made == load_host_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [each.name for each in path.parent.iterdir()] == [FILE_NAME], "no draft is left"


@pytest.mark.needs(parts.OPENSSH)
def test_openssh_reads_it_and_sees_the_same_fingerprint(path: Path) -> None:
    said = fingerprint(load_or_make_host_key(path))
    shown = subprocess.run(["ssh-keygen", "-l", "-f", str(path)], capture_output=True, text=True, check=True)
    assert shown.stdout.split()[1] == said


def test_one_that_others_can_read_is_refused(path: Path) -> None:
    load_or_make_host_key(path)
    path.chmod(0o640)
    with pytest.raises(HostKeyUnusable, match="chmod 600"):
        load_host_key(path)


@pytest.mark.parametrize("kind", ["folder", "link", "missing"])
def test_what_is_no_file_is_refused(path: Path, kind: str) -> None:
    path.parent.mkdir()
    if kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to("/etc/hostname")
    with pytest.raises(HostKeyUnusable):
        load_host_key(path)


def test_one_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("a file in the place of the folder")
    with pytest.raises(HostKeyUnusable):
        load_or_make_host_key(tmp_path / "config" / FILE_NAME)


def test_what_is_no_key_is_said() -> None:
    with pytest.raises(HostKeyUnusable, match="no private key"):
        fingerprint(b"-----BEGIN NOTHING-----")


def test_doctor_tells_the_fingerprint(tmp_path: Path) -> None:
    options = Options(key_file=tmp_path / "key")
    (none,) = doctor_host_key.examine(options, {})
    assert (none.level, "first start" in none.sentence) == (Level.OK, True)
    path = host_key_path(options, {})
    assert path.parent == tmp_path
    said = fingerprint(load_or_make_host_key(path))
    (there,) = doctor_host_key.examine(options, {})
    assert (there.level, said in there.sentence) == (Level.OK, True)
    path.write_bytes(b"nonsense")
    (broken,) = doctor_host_key.examine(options, {})
    assert broken.level is Level.FAIL
