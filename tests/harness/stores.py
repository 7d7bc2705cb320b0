"""Stores for tests: a clock that stands still until it is moved, seeded randomness, and hashing at the lowest cost."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Final

from store.accounts import AccountInfo, Role
from store.at_rest import KeyRing
from store.clock import Uptime
from store.hashing import Cost, Hasher
from store.money import MICRO_PER_USD
from store.store import Store, open_store
from store.strength import estimate
from store.values.sign_in import SignedIn

START: Final = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PASSWORD: Final = "correct horse battery staple"
CHEAP: Final = Cost(memory_kib=64, passes=1, lanes=1)
SOURCE: Final = "pts/0"

estimate_once: Final = cache(estimate)
"""The strength of a password, which is the same for each account of a test: zxcvbn takes a third of creating one."""


@dataclass
class StillClock:
    """A clock that a test moves."""

    time: datetime = field(default=START)
    jumped: timedelta = field(default=timedelta())

    def now(self) -> datetime:
        return self.time

    def uptime(self) -> Uptime:
        return Uptime("boot of the tests", (self.time - self.jumped - START) // timedelta(milliseconds=1))

    def advance(self, **units: float) -> None:
        """Let `timedelta(**units)` pass."""
        self.time += timedelta(**units)

    def jump(self, **units: float) -> None:
        """Set the clock by `timedelta(**units)`, backwards if negative: no time passes."""
        self.time += timedelta(**units)
        self.jumped += timedelta(**units)


def cheap_hasher() -> Hasher:
    return Hasher(CHEAP, CHEAP)


def make_ring(seed: int = 7) -> KeyRing:
    return KeyRing.new(random.Random(seed))


def make_store(
    url: str = "sqlite://", *, clock: StillClock | None = None, seed: int = 1, ring: KeyRing | None = None
) -> Store:
    """A store on a new or existing database; `sqlite://` is one in memory."""
    return open_store(
        url,
        ring or make_ring(),
        clock=clock or StillClock(),
        rng=random.Random(seed),
        hasher=cheap_hasher(),
        estimator=estimate_once,
    )


def sqlite_url(folder: Path, name: str = "gatekey.sqlite3") -> str:
    """A database file in a private folder below `folder`."""
    private = folder / "private"
    private.mkdir(mode=0o700, exist_ok=True)
    return f"sqlite:///{private / name}"


def add_account(
    store: Store, name: str = "alice", *, quota_usd: int = 5, role: Role = Role.USER, email: str = "alice@example.com"
) -> AccountInfo:
    return store.accounts.create(
        name, PASSWORD, email=email, role=role, quota_micro_usd=quota_usd * MICRO_PER_USD, actor="test"
    )


def store_with_account(name: str = "alice") -> Store:
    """A store in memory with one account."""
    store = make_store()
    add_account(store, name)
    return store


def still_clock(store: Store) -> StillClock:
    """The clock of a store that `make_store` made."""
    clock = store.context.clock
    assert isinstance(clock, StillClock)
    return clock


def lift_request_rates(store: Store) -> None:
    """Let keys and accounts make any number of requests per minute."""
    for counted in ("key", "account"):
        store.site.set(f"limits.requests_per_minute_per_{counted}", "0")


def sign_in(store: Store, name: str = "alice", *, source: str = SOURCE) -> str:
    """The token of a new session of an account without a second factor."""
    answer = store.sign_in.with_password(name, PASSWORD, source=source)
    assert isinstance(answer, SignedIn)
    return answer.token
