"""Checkpoints of the audit log, to be kept outside the database.

A database that was reset as a whole to an earlier state has a valid log. A checkpoint holds the number of events of
each chain and a hash of them, so the reset is found. The hash needs no key and reveals no event, so a checkpoint stays
valid after a change of keys.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select

from store.at_rest import KeyRing
from store.audit_check import Report, account_chain, site_chain
from store.audit_tags import SiteTag
from store.errors import InvalidInput
from store.models import Account, SiteEvent

_FORMAT: Final = "gatekey-audit-checkpoint 1"
_REFUSED: Final = "This file is not a checkpoint of a Gatekey audit log. Name another file, or a new one."


@dataclass(frozen=True, slots=True)
class ChainMark:
    """The number of events of a chain, and their hash in hexadecimal digits."""

    events: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of the audit log at one time. `accounts` are by id."""

    at: datetime
    events: int
    site: ChainMark
    accounts: dict[int, ChainMark]

    def serialise(self) -> str:
        """The text form, for `parse`."""
        document = {
            "format": _FORMAT,
            "at": self.at.isoformat(),
            "events": self.events,
            "site": [self.site.events, self.site.sha256],
            "accounts": {str(account): [mark.events, mark.sha256] for account, mark in self.accounts.items()},
        }
        return json.dumps(document, indent=1) + "\n"

    def summary(self) -> str:
        """A summary in one line for a log file, with the hash of the serialised text."""
        whole = hashlib.sha256(self.serialise().encode()).hexdigest()
        return (
            f"audit checkpoint at {self.at.isoformat()}: {self.events} events, {len(self.accounts)} accounts, "
            f"site {self.site.events} {self.site.sha256}, all {whole}"
        )


def checkpoint_of(report: Report, now: datetime) -> Checkpoint:
    """The checkpoint of the audit log in `report`, which must be valid."""
    marks = {account: ChainMark(chain.events, chain.digest.hex()) for account, chain in report.accounts.items()}
    return Checkpoint(now, report.events or 0, ChainMark(report.site.events, report.site.digest.hex()), marks)


def parse(text: str) -> Checkpoint:
    """The checkpoint in the text of `Checkpoint.serialise`. Raises `InvalidInput` for any other text."""
    try:
        document = json.loads(text)
        if document["format"] != _FORMAT:
            raise InvalidInput(_REFUSED)
        at = datetime.fromisoformat(document["at"])
        accounts = {int(account): _mark(mark) for account, mark in document["accounts"].items()}
        events = int(document["events"])
        return Checkpoint(at, events, _mark(document["site"]), accounts)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InvalidInput(_REFUSED) from error


def compare(tx: Connection, ring: KeyRing, report: Report, earlier: Checkpoint) -> Iterator[str]:
    """One sentence for each difference that shows that the log does not continue `earlier`."""
    if report.events is not None and report.events < earlier.events:
        yield f"The log has {report.events} events, and had {earlier.events}: the database was set back."
    if site_chain(tx, ring, up_to=earlier.site.events).digest.hex() != earlier.site.sha256:
        yield "The site's events up to the checkpoint are not those it saw."
    deleted = _deleted(tx)
    for account, mark in earlier.accounts.items():
        if account not in report.accounts:
            if account not in deleted:
                yield f"Account {account} is gone, and no event tells of its deletion."
        elif account_chain(tx, ring, account, up_to=mark.events).digest.hex() != mark.sha256:
            name = tx.execute(select(Account.c.name).where(Account.c.id == account)).scalar_one()
            yield f"The events of {name} up to the checkpoint are not those it saw."


def _deleted(tx: Connection) -> set[Any]:
    details = tx.execute(select(SiteEvent.c.detail).where(SiteEvent.c.tag == SiteTag.ACCOUNT_DELETED.value)).scalars()
    return {detail.get("account_id") for detail in details}


def _mark(found: Any) -> ChainMark:
    events, sha256 = found
    return ChainMark(int(events), str(sha256))
