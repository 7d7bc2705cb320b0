"""The dependencies of every topic: the database, the clock, the random source, the keys and the hasher."""

import random
from dataclasses import dataclass
from datetime import datetime

from store.at_rest import KeyRing
from store.clock import Clock
from store.database import Database
from store.hashing import Hasher
from store.strength import Estimator, estimate


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """The dependencies that every topic gets."""

    database: Database
    clock: Clock
    rng: random.Random
    ring: KeyRing
    hasher: Hasher
    estimator: Estimator = estimate

    def now(self) -> datetime:
        return self.clock.now()

    def seal(self, secret: str, associated_data: str) -> bytes:
        """`secret` encrypted for `associated_data`, which is `table:column:row`."""
        return self.ring.seal(secret, associated_data, self.rng)
