"""A restore works in a folder of its own; one that was killed leaves it, and the next restore removes it."""

import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from store.restore_folder import PREFIX, left_over, working_folder


def leave(place: Path, name: str = "killed") -> Path:
    """The files of a killed restore."""
    folder = place / f"{PREFIX}{name}"
    folder.mkdir(mode=0o700)
    (folder / "backup").write_text("a copy")
    return folder


def folders(place: Path) -> list[Path]:
    return sorted(place.glob(f"{PREFIX}*"))


def test_the_folder_is_private_and_goes_with_its_restore(tmp_path: Path) -> None:
    with working_folder(tmp_path) as folder:
        (folder / "backup").write_text("a copy")
        assert (folder.parent, folder.stat().st_mode & 0o777) == (tmp_path, 0o700)
    with pytest.raises(ZeroDivisionError), working_folder(tmp_path) as folder:
        raise ZeroDivisionError
    assert folders(tmp_path) == []


def test_what_a_killed_restore_left_is_removed_by_the_next(tmp_path: Path) -> None:
    left = leave(tmp_path)
    assert left_over(tmp_path) == [left]
    with working_folder(tmp_path) as folder:
        assert folders(tmp_path) == [folder]
        assert left_over(tmp_path) == []


def test_in_the_temporary_folder_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    leave(tmp_path)
    with working_folder(None) as folder:
        assert folders(tmp_path) == [folder]


def test_the_folder_of_a_running_restore_stays(tmp_path: Path) -> None:
    with working_folder(tmp_path) as first:
        (first / "backup").write_text("a copy")
        assert left_over(tmp_path) == []
        with working_folder(tmp_path) as second:
            assert folders(tmp_path) == sorted([first, second])
        assert (first / "backup").read_text() == "a copy"


def test_nothing_but_a_folder_of_that_name_is_taken_for_one(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").touch()
    (tmp_path / f"{PREFIX}link").symlink_to(elsewhere)
    (tmp_path / f"{PREFIX}file").touch()
    before = folders(tmp_path)
    with working_folder(tmp_path):
        assert left_over(tmp_path) == []
    assert folders(tmp_path) == before
    assert (elsewhere / "kept").exists()
    assert left_over(tmp_path / "missing") == []


def test_another_users_folder_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left, user = leave(tmp_path), os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: user + 1)
    assert left_over(tmp_path) == []
    monkeypatch.undo()
    assert left_over(tmp_path) == [left]


def test_a_folder_that_another_restore_removed_before_it_was_locked_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, taken = tempfile.mkdtemp, list[str]()

    def make_and_lose(**where: object) -> str:
        folder = make(prefix=PREFIX, dir=tmp_path)
        if not taken:
            taken.append(folder)
            with working_folder(tmp_path):
                assert not Path(folder).exists()
        return folder

    monkeypatch.setattr(tempfile, "mkdtemp", make_and_lose)
    with working_folder(tmp_path) as folder:
        assert str(folder) not in taken
        assert folder.is_dir()


def test_many_at_once_leave_each_other_alone(tmp_path: Path) -> None:
    def work(number: int) -> bool:
        with working_folder(tmp_path) as folder:
            (folder / "backup").write_text(str(number))
            return (folder / "backup").read_text() == str(number)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(200)))
    assert folders(tmp_path) == []
