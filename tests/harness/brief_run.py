"""A run that asks what another interpreter could change, and no more: `pytest --brief`.

A rule of the store is asked on one kind of database, in memory where it can be, and a property is tried with few
examples: the search for an example that breaks it is done once, by a run without the option. A test that needs a store,
a server or a console is asked with its first parameters and its last. One that needs only its parameters asks all of
them: an interpreter may read an address or a text in another way.
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
    """Leave out the marked tests and most parameters of costly ones, and give each property few examples."""
    asked = _first_and_last([item for item in items if not item.get_closest_marker(ONE_INTERPRETER)])
    config.hook.pytest_deselected(items=[item for item in items if item not in asked])
    items[:] = [item for item in items if item in asked]
    for item in items:
        test: Any = getattr(item, "obj", None)
        chosen = getattr(test, "_hypothesis_internal_use_settings", None)
        if chosen is not None and chosen.max_examples > EXAMPLES:
            test._hypothesis_internal_use_settings = hypothesis.settings(chosen, max_examples=EXAMPLES)


def _first_and_last(items: Sequence[pytest.Item]) -> set[pytest.Item]:
    """The items that need only their parameters, and of each other test the first and the last."""
    asked, of_tests = set[pytest.Item](), dict[str, list[pytest.Item]]()
    for item in items:
        if _needs_only_parameters(item):
            asked.add(item)
        else:
            of_tests.setdefault(item.nodeid.partition("[")[0], []).append(item)
    return asked.union(*({same[0], same[-1]} for same in of_tests.values()))


def _needs_only_parameters(item: pytest.Item) -> bool:
    parameters = getattr(item, "callspec", None)
    information = getattr(item, "_fixtureinfo", None)
    return parameters is not None and information is not None and set(information.argnames) <= parameters.params.keys()
