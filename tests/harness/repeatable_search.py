"""A search that tries the same examples in every run, whichever modules are loaded.

Hypothesis draws one value in twenty from the constants in the source of whatever modules of the product are loaded
(6.170). With `derandomize` alone, a run of one file and a run of all would try different examples.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.internal.cache import LRUCache
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test


@contextmanager
def repeatable_search() -> Iterator[None]:
    """Leave the constants of the loaded modules out. The settings of the search need `derandomize` as well."""
    none = Constants()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(providers, "_get_local_constants", lambda: none)
        # It holds what was found with those constants.
        patch.setattr(providers, "CONSTANTS_CACHE", LRUCache(providers.CONSTANTS_CACHE.max_size))
        yield


def run_lives(machine: type[RuleBasedStateMachine], lives: int, steps: int, *, is_repeatable: bool) -> None:
    """Run a state machine: the same lives in every run, or others each time."""
    with repeatable_search() if is_repeatable else nullcontext():
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=lives,
                stateful_step_count=steps,
                deadline=None,
                derandomize=is_repeatable,
                suppress_health_check=list(HealthCheck),
            ),
        )
