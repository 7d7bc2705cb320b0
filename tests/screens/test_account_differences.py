"""The list of what differs on a server: each entry names a test, and a reason that is true where it says so.

That the test itself fails there is checked by running it: `conftest.py` expects its failure, strictly.
"""

import ast
import runpy
from pathlib import Path

import pytest

from tests.harness.homes import Place
from tests.screens.account_differences import BOTH, DIFFERENCES, Difference, limits_at
from tui.account import EVERYTHING, Capabilities

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs"

each_difference = pytest.mark.parametrize("one", DIFFERENCES, ids=lambda one: one.test)


@each_difference
def test_an_entry_names_a_test_that_runs_in_every_home(one: Difference) -> None:
    tree = ast.parse((HERE / f"{one.file}.py").read_text(encoding="utf-8"))
    tests = {node.name: node for node in tree.body if isinstance(node, ast.AsyncFunctionDef)}
    assert "home" in {argument.arg for argument in tests[one.test].args.args}


@each_difference
def test_the_reason_is_told_where_the_promise_is_not_kept_and_nowhere_else(one: Difference) -> None:
    assert bool(one.limit) is not bool(one.because)
    if one.limit:
        assert one.limit in Capabilities._fields
        assert getattr(EVERYTHING, one.limit) == ""
        assert [place for place in BOTH if getattr(limits_at(place), one.limit)] == list(one.places)


def test_no_promise_is_listed_twice_and_none_for_a_store() -> None:
    assert len({(one.file, one.test) for one in DIFFERENCES}) == len(DIFFERENCES)
    assert all(Place.HERE not in one.places for one in DIFFERENCES)


def test_the_page_of_differences_is_the_generated_one() -> None:
    generated: str = runpy.run_path(str(DOCS / "new_api_page.py"))["page"]()
    assert (DOCS / "new-api.md").read_text(encoding="utf-8") == generated, "run: python docs/new_api_page.py"
