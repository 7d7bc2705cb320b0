"""The keyed hashes of the audit log: of an event, of a chain's end, and of all ends together.

Each is made under the key whose id stands beside it, so a chain can pass to a new key while others still have the old.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from store.at_rest import KeyRing

FIRST: Final = b""
"""What the first event of a chain follows."""

SITE: Final = "site"
"""The chain of the site's events; an account's chain is named by its id."""

_MODULUS: Final = 1 << 256


@dataclass(frozen=True, slots=True)
class Act:
    """An event without its place in a chain."""

    at: datetime
    tag: str
    actor: str
    source: str
    detail: Mapping[str, object]


def event_text(chain: int | str, sequence: int, act: Act) -> bytes:
    """All that an event says, as one text that no other event has."""
    fields = [chain, sequence, act.at.isoformat(), act.tag, act.actor, act.source, dict(sorted(act.detail.items()))]
    return json.dumps(fields, ensure_ascii=True).encode()


def event_mac(ring: KeyRing, key_id: int, previous: bytes, text: bytes) -> bytes:
    """The MAC of an event, which covers the one before it and so all before that."""
    return ring.mac("audit", previous + text, key_id)


def digest(previous: bytes, text: bytes) -> bytes:
    """The same without a key, for a checkpoint kept elsewhere: it outlives a change of keys."""
    return hashlib.sha256(previous + text).digest()


def seal_of(ring: KeyRing, key_id: int, account_id: int, sequence: int, mac: bytes) -> bytes:
    """The MAC of a chain's end. Without the key nobody can name an earlier event the last one."""
    return ring.mac("audit-head", json.dumps([account_id, sequence, mac.hex()]).encode(), key_id)


def added(total: bytes, *, gone: Iterable[bytes], new: Iterable[bytes]) -> bytes:
    """The sum of all seals after some of them were replaced (AdHash: an incremental hash of a set, modulo 2^256)."""
    number = int.from_bytes(total, "big")
    number += sum(int.from_bytes(seal, "big") for seal in new)
    number -= sum(int.from_bytes(seal, "big") for seal in gone)
    return (number % _MODULUS).to_bytes(32, "big")


def total_mac(ring: KeyRing, key_id: int, events: int, seals: bytes, sequence: int, mac: bytes) -> bytes:
    """The MAC of how many events there ever were, of all chains' ends, and of the end of the site's own chain."""
    fields = [events, seals.hex(), sequence, mac.hex()]
    return ring.mac("audit-total", json.dumps(fields).encode(), key_id)


def total_fits(ring: KeyRing, key_id: int, events: int, seals: bytes, sequence: int, mac: bytes, bound: bytes) -> bool:
    """Whether `bound` is the MAC of the rest."""
    return key_id in ring.keys and hmac.compare_digest(bound, total_mac(ring, key_id, events, seals, sequence, mac))
