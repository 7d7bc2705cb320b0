"""A theme chosen in the palette is there at the next start, in a private file of its own."""

import stat
from pathlib import Path

import pytest

from tui.remembered_theme import FILE_NAME, remember_theme, remembered_theme


def test_it_is_remembered_in_a_private_file_in_a_private_folder(tmp_path: Path) -> None:
    path = tmp_path / "new" / FILE_NAME
    remember_theme(path, "nord", None)
    assert remembered_theme(path, None) == "nord"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [file.name for file in path.parent.iterdir()] == [FILE_NAME]
    remember_theme(path, "gruvbox", None)
    assert remembered_theme(path, None) == "gruvbox"


def test_it_comes_before_keys_toml_until_that_names_another(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    remember_theme(path, "nord", "gatekey-light")
    assert remembered_theme(path, "gatekey-light") == "nord"
    assert remembered_theme(path, "gruvbox") == "gruvbox"
    assert remembered_theme(path, None) is None


@pytest.mark.parametrize("text", ["", "theme = 3", 'theme = "no such"', "not toml", "\0", "theme = ['nord']"])
def test_a_damaged_file_counts_as_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / FILE_NAME
    assert remembered_theme(path, "gatekey-light") == "gatekey-light"
    path.write_text(text)
    assert remembered_theme(path, None) is None
    path.write_bytes(b"\xff\xfe")
    assert remembered_theme(path, "nord") == "nord"


def test_a_link_in_the_way_is_replaced_and_not_followed(tmp_path: Path) -> None:
    target, path = tmp_path / "target", tmp_path / FILE_NAME
    target.write_text("mine")
    path.symlink_to(target)
    remember_theme(path, "nord", None)
    assert target.read_text() == "mine"
    assert not path.is_symlink()


def test_a_folder_that_cannot_be_written_is_an_os_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        remember_theme(tmp_path / "file" / FILE_NAME, "nord", None)
