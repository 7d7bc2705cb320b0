"""Saving into a file: what is asked for when there is no name to save under."""

from pathlib import Path

import pytest

from screens.save_file import SaveFile, write_text
from tests.consoles import console

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("typed", ["", "  ", "."])
async def test_a_file_without_a_name_is_asked_for_its_name(typed: str) -> None:
    async with console() as stage:
        stage.app.push_screen(SaveFile("Export", "gatekey-export.json", write_text("{}")))
        await stage.settle()
        await stage.fill("path", typed)
        await stage.press("enter")
        assert isinstance(stage.app.screen, SaveFile)
        assert stage.says("Enter the name of the file.")
        assert not stage.says("There is already a file")


async def test_what_was_refused_can_be_saved_under_a_name(tmp_path: Path) -> None:
    async with console() as stage:
        stage.app.push_screen(SaveFile("Export", "gatekey-export.json", write_text("{}")))
        await stage.settle()
        await stage.fill("path", "")
        await stage.press("enter")
        await stage.fill("path", f"{tmp_path / 'export.json'}")
        await stage.press("enter")
        assert not isinstance(stage.app.screen, SaveFile)
        assert (tmp_path / "export.json").read_text() == "{}"


async def test_a_folder_is_said_to_be_one(tmp_path: Path) -> None:
    async with console() as stage:
        stage.app.push_screen(SaveFile("Export", "gatekey-export.json", write_text("{}")))
        await stage.settle()
        await stage.fill("path", f"{tmp_path}")
        await stage.press("enter")
        assert stage.says("is a folder. Add the name of a file.")
