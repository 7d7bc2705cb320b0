"""Checks after a process was killed, and the figure they add up to."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select

from store.audit_tags import Tag
from store.models import AuditEvent
from store.store import Store
from tests.harness.processes import hour
from tests.harness.stores import START, StillClock


@dataclass
class KillReport:
    """The effects of a series of kills in the middle of one act."""

    act: str
    kind: str
    kills: int = 0
    corrupt: int = 0
    half_done: int = 0
    lost: int = 0

    def note(self, *, was_killed: bool, is_corrupt: bool, is_half_done: bool, is_lost: bool) -> None:
        self.kills += was_killed
        self.corrupt += is_corrupt
        self.half_done += is_half_done
        self.lost += is_lost

    def check(self) -> None:
        """Print the figure, and fail unless all three counts are zero and processes were killed at all."""
        print(
            f"BAR R2-{self.kind}-{self.act} {self.kills} kills: "
            f"{self.corrupt} corrupt, {self.half_done} half-done, {self.lost} acknowledged and lost"
        )
        assert self.kills > 0
        assert (self.corrupt, self.half_done, self.lost) == (0, 0, 0)


def file_of(url: str) -> Path | None:
    """The SQLite file behind `url`."""
    return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite") else None


def is_corrupt(url: str) -> bool:
    """True if SQLite finds its file damaged, or a broken foreign key. PostgreSQL checks its own."""
    path = file_of(url)
    if path is None:
        return False
    with closing(sqlite3.connect(path)) as connection:
        (found,) = connection.execute("PRAGMA integrity_check").fetchone()
        return found != "ok" or connection.execute("PRAGMA foreign_key_check").fetchone() is not None


def at(number: int) -> StillClock:
    """The time of one kill: an hour after the one before, so that no lock or rate of that reaches into it."""
    return StillClock(START + hour(number))


def count_events(store: Store, account_id: int, tag: Tag) -> int:
    """The number of events of this tag in the audit log of an account."""
    query = select(func.count()).where(AuditEvent.c.account_id == account_id, AuditEvent.c.tag == tag.value)
    with store.database.read() as tx:
        return tx.execute(query).scalar_one()
