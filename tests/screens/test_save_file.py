"""Saving into a file: what is asked for when there is no name to save under, and where files are off."""

from pathlib import Path

import pytest

from screens.save_file import SaveFile, write_text
from tests.harness.consoles import Stage, console


async def ask(stage: Stage) -> None:
    stage.app.push_screen(SaveFile("Export", "gatekey-export.json", write_text(stage.app.account, "{}")))
    await stage.settle()


@pytest.mark.parametrize("typed", ["", "  ", "."])
async def test_a_file_without_a_name_is_asked_for_its_name(typed: str, stage: Stage) -> None:
    await ask(stage)
    await stage.enter("path", typed)
    assert isinstance(stage.app.screen, SaveFile)
    assert stage.says("Enter the name of the file.")
    assert not stage.says("There is already a file")


async def test_what_was_refused_can_be_saved_under_a_name(tmp_path: Path, stage: Stage) -> None:
    await ask(stage)
    await stage.enter("path", "")
    await stage.enter("path", f"{tmp_path / 'export.json'}")
    assert not isinstance(stage.app.screen, SaveFile)
    assert (tmp_path / "export.json").read_text() == "{}"


async def test_a_folder_is_said_to_be_one(tmp_path: Path, stage: Stage) -> None:
    await ask(stage)
    await stage.enter("path", f"{tmp_path}")
    assert stage.says("is a folder. Add the name of a file.")


async def test_the_name_that_is_offered_is_saved_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gatekey-access-token.txt").touch()
    async with console() as stage:
        await stage.press("t", "y", "w")
        await stage.press("enter")
        saved = tmp_path / "gatekey-access-token-2.txt"
        assert stage.says("readable by you alone")
        assert saved.read_text().startswith("gk_")
        assert saved.stat().st_mode & 0o777 == 0o600
