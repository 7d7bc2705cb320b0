"""A search that tries the same examples in every run, whichever modules are loaded.

Hypothesis draws one value in twenty from the constants in the source of whatever modules of the product are loaded
(6.170). With `derandomize` alone, a run of one file and a run of all would try different examples.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis.internal.cache import LRUCache
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants


@contextmanager
def repeatable_search() -> Iterator[None]:
    """Leave the constants of the loaded modules out. The settings of the search need `derandomize` as well."""
    none = Constants()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(providers, "_get_local_constants", lambda: none)
        # It holds what was found with those constants.
        patch.setattr(providers, "CONSTANTS_CACHE", LRUCache(providers.CONSTANTS_CACHE.max_size))
        yield
