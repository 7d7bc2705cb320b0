"""Files that appear whole or not at all."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from store import private_file


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    """Everything is allowed to everyone."""
    before = os.umask(0)
    yield
    os.umask(before)


def test_a_file_is_replaced_by_a_private_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"former")
    private_file.replace(path, b"later")
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"later", 0o600)
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_could_not_be_flushed_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "file"
    path.write_bytes(b"former")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        private_file.replace(path, b"later")
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (b"former", [path])


def test_a_link_to_a_name_that_is_taken_leaves_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"former")
    with pytest.raises(FileExistsError), private_file.draft(path, b"later") as draft:
        path.hardlink_to(draft)
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (b"former", [path])
