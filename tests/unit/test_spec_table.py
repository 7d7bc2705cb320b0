"""The table that says which test proves which sentence: every test it names is there, and no row is empty."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import Final

import pytest

pytestmark = pytest.mark.one_interpreter

TESTS: Final = Path(__file__).parents[1]
ROW: Final = re.compile(r"^\| (?P<number>\d+) \| (?P<sentence>.+?) \| (?P<proof>.*) \|$")
NAMED: Final = re.compile(r"`([^`]+)::([^`]+)`")
SENTENCES: Final = 140
"""Lines of the documentation."""


@cache
def names_in(path: str) -> frozenset[str]:
    """The tests a file defines, read without importing it."""
    file = TESTS / path
    tree = ast.parse(file.read_text()) if file.is_file() else ast.Module([], [])
    return frozenset(
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    )


def missing(table: str) -> list[str]:
    """The rows that name no test, or one that is not there."""
    wrong = []
    for line in table.splitlines():
        if row := ROW.match(line):
            named = NAMED.findall(row["proof"])
            wrong += [f"{row['number']}: names no test"] if not named else []
            wrong += [f"{row['number']}: {path}::{test}" for path, test in named if test not in names_in(path)]
    return wrong


def test_every_sentence_is_proved_by_a_test_that_is_there() -> None:
    table = (TESTS / "spec.md").read_text()
    numbers = [int(row["number"]) for line in table.splitlines() if (row := ROW.match(line))]
    assert numbers == list(range(1, SENTENCES + 1))
    assert missing(table) == []


def test_a_test_that_is_gone_is_noticed() -> None:
    good = "unit/test_spec_table.py::test_a_test_that_is_gone_is_noticed"
    table = f"| 1 | a | `{good}` |\n| 2 | b | `{good}_not` |\n| 3 | c |  |\n| 4 | d | `nowhere.py::test_x` |\n"
    assert missing(table) == [f"2: {good}_not", "3: names no test", "4: nowhere.py::test_x"]
