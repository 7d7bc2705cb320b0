"""A file at a person's word: where it may lie, whose it is, and what a refusal gives away."""

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from store import new_files
from store.errors import FilesOff, FreshProofRequired, InvalidInput
from store.new_files import NewFiles

SECRET = "gk_b5G1yqW0m3kT8sVxZ2nC7pLr ✓"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with what an intruder would like to write to, where the program runs in a folder of its own."""
    home = tmp_path / "home"
    for folder in ("work", ".ssh", "data", "config/gatekey/deep"):
        (home / folder).mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(home / "work")
    return home


@pytest.fixture
def files(home: Path) -> NewFiles:
    return NewFiles(own=lambda: (home / "data", home / "config" / "gatekey"))


def everything(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def refused(files: NewFiles, typed: str | Path) -> str:
    """The sentence of the refusal. Nothing was written."""
    before = everything(Path.home())
    with pytest.raises(InvalidInput) as error:
        files.write(Path(typed), SECRET)
    assert error.value.field == "path"
    assert SECRET not in str(error.value)
    assert str(error.value).endswith(".") or str(error.value).endswith("?")
    assert everything(Path.home()) == before
    return str(error.value)


def test_a_name_alone_is_written_into_the_working_directory(files: NewFiles, home: Path) -> None:
    assert files.write(Path("codes.txt"), SECRET) == home / "work" / "codes.txt"
    assert (home / "work" / "codes.txt").read_text() == SECRET


def test_a_tilde_is_the_home_folder(files: NewFiles, home: Path) -> None:
    assert files.write(Path("~/codes.txt"), [SECRET, "\n", SECRET]) == home / "codes.txt"
    assert (home / "codes.txt").read_text() == f"{SECRET}\n{SECRET}"


@pytest.mark.parametrize("umask", [0, 0o022, 0o277])
def test_a_file_is_readable_by_its_owner_alone_whatever_the_umask(files: NewFiles, home: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        path = files.write(Path("codes.txt"), SECRET)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) & 0o177 == 0


@pytest.mark.parametrize(
    "typed",
    [
        "~/.bashrc",
        "~/.ssh/rc",
        "~/.ssh/authorized_keys",
        "~/.config/gatekey/keys.toml",
        "~/.ssh/../codes.txt",
        ".codes.txt",
        "../.profile",
        "\u200b.bashrc",
        "...",
    ],
)
def test_nothing_begins_with_a_dot(files: NewFiles, typed: str) -> None:
    assert refused(files, typed) == new_files.DOTTED


@pytest.mark.parametrize("folder", ["data", "config/gatekey", "config/gatekey/deep", "work/../data", "data/missing"])
def test_nothing_lies_beneath_a_folder_of_gatekey(files: NewFiles, home: Path, folder: str) -> None:
    assert refused(files, home / folder / "keys.toml") == new_files.OURS


def test_nothing_lies_in_the_environment_that_runs_gatekey(files: NewFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", str(Path.cwd()))
    assert refused(files, "sitecustomize.py") == new_files.OURS


@pytest.mark.parametrize("target", [".ssh", "data", "config/gatekey/deep"])
def test_a_link_to_a_place_is_that_place(files: NewFiles, home: Path, target: str) -> None:
    (home / "work" / "link").symlink_to(home / target)
    assert refused(files, "link/codes.txt").startswith(f"{home}/work/link is not a folder that you can save to")


def test_a_folder_behind_a_link_may_be_written_to(files: NewFiles, home: Path) -> None:
    (home / "link").symlink_to(home / "work")
    assert files.write(home / "link" / "codes.txt", SECRET) == home / "work" / "codes.txt"


def test_another_name_of_an_own_folder_is_that_folder(files: NewFiles, home: Path) -> None:
    (home / "alias").symlink_to(home / "data")
    aliased = NewFiles(own=lambda: (home / "alias",))
    assert "not a folder that you can save to" in refused(aliased, home / "data" / "codes.txt")


def test_a_file_that_is_there_is_never_touched(files: NewFiles, home: Path) -> None:
    (home / "work" / "codes.txt").write_text("precious")
    (home / "work" / "link.txt").symlink_to(home / "stolen")
    assert "already a file" in refused(files, "codes.txt")
    assert "already a file" in refused(files, "link.txt")
    assert "is a folder" in refused(files, home / "work")
    assert (home / "work" / "codes.txt").read_text() == "precious"


@pytest.mark.parametrize("typed", ["", ".", "..", "/", "work/.."])
def test_a_file_has_a_name(files: NewFiles, typed: str) -> None:
    assert refused(files, typed) == new_files.NAMELESS


@pytest.mark.parametrize("typed", ["nul\0.txt", "x" * 300])
def test_a_name_that_no_file_can_have_is_one_sentence(files: NewFiles, typed: str) -> None:
    assert "could not be created" in refused(files, typed)


@pytest.mark.parametrize(
    "typed", ["~nobody-has-this-name/codes.txt", "nul\0/codes.txt", "file/codes.txt", "no/codes.txt"]
)
def test_a_folder_that_is_none_is_one_sentence(files: NewFiles, home: Path, typed: str) -> None:
    (home / "work" / "file").touch()
    assert "is not a folder that you can save to" in refused(files, typed)


def test_a_working_directory_that_is_gone_is_one_sentence(files: NewFiles, home: Path) -> None:
    gone = home / "gone"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    assert "is not a folder that you can save to" in refused(files, "codes.txt")


def pairs() -> Iterator[tuple[str, str]]:
    """Two paths that differ only in whether something is there."""
    yield "~/.bashrc", "~/.missing"
    yield "~/.ssh/id", "~/.missing/id"
    yield "~/.ssh/../x", "~/.missing/../x"
    yield "~/data/taken", "~/data/free"
    yield "~/data/taken/deeper", "~/data/free/deeper"
    yield "~/closed/taken", "~/closed/free"
    yield "~/closed/inner/x", "~/closed/missing/x"


@pytest.mark.parametrize(("there", "not_there"), pairs())
def test_a_refusal_does_not_tell_what_is_there(
    files: NewFiles, home: Path, monkeypatch: pytest.MonkeyPatch, there: str, not_there: str
) -> None:
    closed = home / "closed"
    (closed / "inner").mkdir(parents=True)
    for path in (home / ".bashrc", home / ".ssh" / "id", home / "data" / "taken", closed / "taken"):
        path.touch()
    # As it is for anyone but root, who may write everywhere.
    may = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: closed not in (path, *path.parents) and may(path, mode))
    said, of_another = refused(files, there), refused(files, not_there)
    assert said.replace(Path(there).parent.name, "") == of_another.replace(Path(not_there).parent.name, "")


def test_a_link_put_in_the_way_meanwhile_is_seen(files: NewFiles, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look at a folder on the way and its opening, somebody puts a link there."""
    way = home / "way"
    (way / "in").mkdir(parents=True)
    (home / ".ssh" / "in").mkdir()
    really_open = os.open

    def swap_first(path: object, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if path == way / "in":
            way.rename(home / "moved")
            way.symlink_to(home / ".ssh")
        return really_open(path, flags, mode, dir_fd=dir_fd)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", swap_first)
    with pytest.raises(InvalidInput, match="is not a folder that you can save to"):
        files.write(way / "in" / "codes.txt", SECRET)
    assert list((home / ".ssh" / "in").iterdir()) == []


@pytest.fixture
def without_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that does not tell where an open folder lies."""

    def missing(_path: Path) -> Path:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "readlink", missing)


@pytest.mark.usefixtures("without_proc")
def test_without_proc_a_file_is_written_all_the_same(files: NewFiles, home: Path) -> None:
    (home / "link").symlink_to(home / "work")
    assert files.write(home / "link" / "codes.txt", SECRET) == home / "work" / "codes.txt"
    assert (home / "work" / "codes.txt").read_text() == SECRET


@pytest.mark.usefixtures("without_proc")
@pytest.mark.parametrize("stays", [True, False], ids=["stays", "is gone again"])
def test_without_proc_a_link_put_in_the_way_meanwhile_is_seen(
    files: NewFiles, home: Path, monkeypatch: pytest.MonkeyPatch, stays: bool
) -> None:
    way = home / "way"
    (way / "in").mkdir(parents=True)
    (home / ".ssh" / "in").mkdir()
    really_open = os.open

    def swap(path: object, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if path != way / "in":
            return really_open(path, flags, mode, dir_fd=dir_fd)  # type: ignore[arg-type]
        way.rename(home / "moved")
        way.symlink_to(home / ".ssh")
        handle = really_open(way / "in", flags, mode, dir_fd=dir_fd)
        if not stays:
            way.unlink()
            (home / "moved").rename(way)
        return handle

    monkeypatch.setattr(os, "open", swap)
    with pytest.raises(InvalidInput, match="is not a folder that you can save to"):
        files.write(way / "in" / "codes.txt", SECRET)
    assert list((home / ".ssh" / "in").iterdir()) == []


def test_a_full_disk_leaves_nothing_behind(files: NewFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert "disk full" in refused(files, "codes.txt")


def test_a_text_that_breaks_off_leaves_nothing_behind(files: NewFiles, home: Path) -> None:
    def pieces() -> Iterator[str]:
        yield SECRET
        raise FreshProofRequired

    with pytest.raises(FreshProofRequired):
        files.write(Path("codes.txt"), pieces())
    assert list((home / "work").iterdir()) == []


def test_the_name_is_there_once_the_file_is_complete(files: NewFiles, home: Path) -> None:
    seen: list[list[Path]] = []

    def pieces() -> Iterator[str]:
        yield SECRET
        seen.append(list((home / "work").iterdir()))
        yield SECRET

    assert files.write(Path("codes.txt"), pieces()).read_text() == SECRET * 2
    assert seen == [[]], "a process that is killed here leaves nothing"


def test_a_name_that_is_taken_meanwhile_is_kept(files: NewFiles, home: Path) -> None:
    def pieces() -> Iterator[str]:
        (home / "work" / "codes.txt").write_text("of somebody else")
        yield SECRET

    with pytest.raises(InvalidInput, match="already a file"):
        files.write(Path("codes.txt"), pieces())
    assert (home / "work" / "codes.txt").read_text() == "of somebody else"


@pytest.mark.parametrize("lacks", ["the flag", "the file system's part"])
def test_without_files_that_have_no_name_one_is_written_all_the_same(
    files: NewFiles, home: Path, monkeypatch: pytest.MonkeyPatch, lacks: str
) -> None:
    if lacks == "the flag":
        monkeypatch.delattr(os, "O_TMPFILE")
    else:
        real, flag = os.open, os.O_TMPFILE

        def refuse(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
            if flags & flag == flag:
                raise OSError(95, "Operation not supported")
            return real(path, flags, mode, dir_fd=dir_fd)

        monkeypatch.setattr(os, "open", refuse)
    assert files.write(Path("codes.txt"), SECRET).read_text() == SECRET
    assert "already a file" in refused(files, "codes.txt")

    def pieces() -> Iterator[str]:
        yield SECRET
        raise FreshProofRequired

    with pytest.raises(FreshProofRequired):
        files.write(Path("other.txt"), pieces())
    assert [path.name for path in (home / "work").iterdir()] == ["codes.txt"]


def test_an_empty_file_can_be_made_for_another_program_to_fill(files: NewFiles, home: Path) -> None:
    made = files.create(Path("copy.sqlite3"))
    assert made == home / "work" / "copy.sqlite3"
    assert made.read_bytes() == b""
    assert stat.S_IMODE(made.stat().st_mode) == 0o600


@pytest.mark.parametrize("typed", ["codes.txt", "~/.bashrc", "/nowhere/at/all", ""])
def test_with_files_off_nothing_is_written_and_nothing_told(home: Path, typed: str) -> None:
    files = NewFiles(allowed=False)
    before = everything(home)
    with pytest.raises(FilesOff) as error:
        files.write(Path(typed), SECRET)
    assert str(error.value) == FilesOff.sentence
    with pytest.raises(FilesOff):
        files.create(Path(typed))
    assert everything(home) == before


def test_a_suggested_name_is_free(files: NewFiles, home: Path) -> None:
    assert files.suggest("codes.txt") == "codes.txt"
    (home / "work" / "codes.txt").touch()
    (home / "work" / "codes-2.txt").symlink_to("nowhere")
    assert files.suggest("codes.txt") == "codes-3.txt"
