"""Folders of Gatekey's own: private whatever the umask, and told when another user could replace them."""

import grp
import os
import pwd
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from store import private_folder


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@pytest.mark.parametrize("mask", [0o000, 0o002, 0o022, 0o077, 0o277, 0o777])
def test_every_folder_that_is_made_is_private_whatever_the_umask(tmp_path: Path, mask: int) -> None:
    there = tmp_path / "there"
    there.mkdir(mode=0o755)
    there.chmod(0o755)
    with umask(mask):
        made = private_folder.make(there / "a" / "b" / "c")
    assert made == (there / "a", there / "a" / "b", there / "a" / "b" / "c")
    assert [path.stat().st_mode & 0o7777 for path in made] == [0o700] * 3
    assert there.stat().st_mode & 0o7777 == 0o755


def test_what_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    assert private_folder.make(tmp_path) == ()


def test_what_cannot_be_a_folder_is_an_error_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"Not a directory|File exists"):
        private_folder.make(tmp_path / "file" / "a")


def test_only_what_was_made_and_is_empty_is_removed(tmp_path: Path) -> None:
    made = private_folder.make(tmp_path / "a" / "b" / "c")
    (tmp_path / "a" / "kept").touch()
    private_folder.remove(made)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "kept"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "share" / "gatekey"
    private_folder.make(folder)
    assert private_folder.exposed(folder) is None
    return tmp_path


@pytest.mark.parametrize("mode", [0o777, 0o757, 0o775])
@pytest.mark.parametrize("name", ["share", "share/gatekey", "."])
def test_a_folder_that_others_may_write_to_is_found(
    home: Path, monkeypatch: pytest.MonkeyPatch, name: str, mode: int
) -> None:
    monkeypatch.setattr(grp, "getgrgid", lambda gid: grp.struct_group(("staff", "x", gid, ["somebody"])))
    (home / name).chmod(mode)
    assert private_folder.exposed(home / "share" / "gatekey") == (home / name).resolve()


def test_a_sticky_folder_keeps_each_to_their_own(home: Path) -> None:
    (home / "share").chmod(0o1777)
    assert private_folder.exposed(home / "share" / "gatekey") is None


@pytest.mark.parametrize(("members", "is_private"), [([], True), (["me"], True), (["me", "you"], False)])
def test_a_group_of_one_is_nobody_else(
    home: Path, monkeypatch: pytest.MonkeyPatch, members: list[str], is_private: bool
) -> None:
    (home / "share").chmod(0o775)
    mine = (home / "share").stat().st_gid
    user = pwd.struct_passwd(("me", "x", os.getuid(), mine, "", "/", "/bin/sh"))
    monkeypatch.setattr(pwd, "getpwuid", lambda _: user)
    monkeypatch.setattr(grp, "getgrgid", lambda gid: grp.struct_group(("me", "x", gid, members)))
    assert (private_folder.exposed(home / "share" / "gatekey") is None) == is_private


def test_a_folder_of_somebody_else_is_found(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    really = Path.stat

    def owned(path: Path, **how: bool) -> os.stat_result:
        status = really(path, **how)
        return os.stat_result((*status[:4], 4711, *status[5:])) if path == home / "share" else status

    monkeypatch.setattr(Path, "stat", owned)
    assert private_folder.exposed(home / "share" / "gatekey") == home / "share"


def test_a_folder_that_is_not_there_yet_is_judged_by_what_is(home: Path) -> None:
    assert private_folder.exposed(home / "share" / "gatekey" / "new" / "er") is None
    (home / "share").chmod(0o777)
    assert private_folder.exposed(home / "share" / "gatekey" / "new" / "er") == home / "share"


def test_no_other_room_makes_a_folder() -> None:
    root = Path(__file__).parents[3]
    sources = [
        path for top in ("gateway", "remote", "screens", "ssh", "store", "tui") for path in (root / top).rglob("*.py")
    ]
    # A server of SFTP has a method of this name; ours refuses.
    makes = re.compile(r"(?<!def )mkdir\(|makedirs")
    making = {path.relative_to(root) for path in sources if makes.search(path.read_text())}
    assert making == {Path("store/private_folder.py")}
