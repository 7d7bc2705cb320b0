"""Fixtures of the command line's tests."""

from pathlib import Path

import pytest

from tests.harness.command_line import Shell


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A command line on data of its own; nothing exists yet."""
    return Shell(tmp_path, monkeypatch)
