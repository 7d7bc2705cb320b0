"""A run that asks what another interpreter could change, and no more: `pytest --brief`.

A rule of the store is asked on one kind of database, in memory where it can be, and a property is tried with few
examples: the search for an example that breaks it is done once, by a run without the option.
"""

from collections.abc import Sequence
from typing import Any, Final

import hypothesis
import pytest

OPTION: Final = "--brief"
EXAMPLES: Final = 20
"""Of one property."""
ONE_INTERPRETER: Final = "one_interpreter"
"""The mark of a test that is left out."""


def add_option(parser: pytest.Parser) -> None:
    parser.addoption(OPTION, action="store_true", help="run only what another interpreter could change")


def is_brief(config: pytest.Config) -> bool:
    return bool(config.getoption(OPTION))


def one_kind(kinds: Sequence[str]) -> Sequence[str]:
    """The first of these kinds of database. They are ordered by their cost."""
    return kinds[:1]


def shorten(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the marked tests, and give each property few examples."""
    left_out = [item for item in items if item.get_closest_marker(ONE_INTERPRETER)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if not item.get_closest_marker(ONE_INTERPRETER)]
    for item in items:
        test: Any = getattr(item, "obj", None)
        chosen = getattr(test, "_hypothesis_internal_use_settings", None)
        if chosen is not None and chosen.max_examples > EXAMPLES:
            test._hypothesis_internal_use_settings = hypothesis.settings(chosen, max_examples=EXAMPLES)
