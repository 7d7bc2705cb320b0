"""The keyed hashes of the audit log: the MAC of an event, the seal of a chain's end, and the MAC of the total.

The id of the key is stored beside each chain, so chains pass to a new key one by one.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from store.at_rest import KeyRing

GENESIS: Final = b""
"""The previous MAC of the first event of a chain."""

SITE_CHAIN: Final = "site"
"""The name of the chain of site events. The chain of an account is named by its id."""

_MODULUS: Final = 1 << 256


class EventBody(NamedTuple):
    """The content of an event, without its position in a chain."""

    at: datetime
    tag: str
    actor: str
    source: str
    detail: Mapping[str, object]


def event_text(chain: int | str, sequence: int, act: EventBody) -> bytes:
    """The canonical encoding of an event with its chain and position."""
    fields = [chain, sequence, act.at.isoformat(), act.tag, act.actor, act.source, dict(sorted(act.detail.items()))]
    return json.dumps(fields, ensure_ascii=True).encode()


def event_mac(ring: KeyRing, key_id: int, previous: bytes, text: bytes) -> bytes:
    """The MAC of an event. It covers the previous MAC, and so all previous events."""
    return ring.mac("audit", previous + text, key_id)


def chain_digest(previous: bytes, text: bytes) -> bytes:
    """The SHA-256 hash of the chain up to an event, for checkpoints. It does not depend on a key."""
    return hashlib.sha256(previous + text).digest()


def seal_of(ring: KeyRing, key_id: int, account_id: int, sequence: int, mac: bytes) -> bytes:
    """The seal: the MAC of a chain's last event and length. Without the key a chain cannot be shortened unnoticed."""
    return ring.mac("audit-head", json.dumps([account_id, sequence, mac.hex()]).encode(), key_id)


def seal_sum(total: bytes, *, gone: Iterable[bytes], new: Iterable[bytes]) -> bytes:
    """The sum of all seals after `gone` were replaced by `new` (AdHash, an incremental set hash, modulo 2^256)."""
    number = int.from_bytes(total, "big")
    number += sum(int.from_bytes(seal, "big") for seal in new)
    number -= sum(int.from_bytes(seal, "big") for seal in gone)
    return (number % _MODULUS).to_bytes(32, "big")


def total_mac(ring: KeyRing, key_id: int, events: int, seals: bytes, sequence: int, mac: bytes) -> bytes:
    """The MAC of the total: the number of all events, the sum of all seals, and the end of the site's chain."""
    fields = [events, seals.hex(), sequence, mac.hex()]
    return ring.mac("audit-total", json.dumps(fields).encode(), key_id)


def total_fits(ring: KeyRing, key_id: int, events: int, seals: bytes, sequence: int, mac: bytes, bound: bytes) -> bool:
    """True if `bound` is the MAC of the other arguments."""
    return key_id in ring.keys and hmac.compare_digest(bound, total_mac(ring, key_id, events, seals, sequence, mac))
