"""A repeatable search tries the same examples, whichever modules are loaded."""

import importlib
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.harness.repeatable_search import repeatable_search


def examples() -> list[int]:
    """The examples that a search tries."""
    tried: list[int] = []

    @settings(derandomize=True, database=None, max_examples=300)
    @given(st.integers(0, 3_000_000))
    def search(number: int) -> None:
        tried.append(number)

    search()
    return tried


@pytest.fixture
def loaded_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module with constants that can be loaded."""
    (tmp_path / "loaded_later.py").write_text(f"NUMBERS = {list(range(200_003, 207_003, 7))}\n")
    monkeypatch.syspath_prepend(tmp_path)
    return "loaded_later"


def test_a_module_that_is_loaded_changes_no_example(loaded_later: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with repeatable_search():
        before = examples()
        module = importlib.import_module(loaded_later)
        monkeypatch.setitem(sys.modules, loaded_later, module)
        assert examples() == before
        assert not set(module.NUMBERS) & set(before)
