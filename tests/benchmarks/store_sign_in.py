"""Signing in beside the one hash it cannot do without."""

import random
from pathlib import Path
from typing import Final

from argon2 import PasswordHasher
from argon2.low_level import Type

from store.clock import SystemClock
from store.hashing import PASSWORD_COST, Hasher
from store.store import open_store
from tests.benchmarks.sides import Comparison, compare
from tests.harness.stores import PASSWORD, add_account, make_ring, sign_in, sqlite_url

BAR: Final = 1.15


def compare_sign_in(folder: Path, turns: int) -> Comparison:
    """A whole sign-in with a password, and one verification at the same cost by argon2-cffi alone."""
    bare = PasswordHasher(
        time_cost=PASSWORD_COST.passes,
        memory_cost=PASSWORD_COST.memory_kib,
        parallelism=PASSWORD_COST.lanes,
        type=Type.ID,
    )
    stored = bare.hash(PASSWORD)
    store = open_store(sqlite_url(folder), make_ring(), clock=SystemClock(), rng=random.Random(1), hasher=Hasher())
    with store:
        add_account(store)
        return compare("sign-in", lambda: sign_in(store), lambda: bare.verify(stored, PASSWORD), bar=BAR, turns=turns)
