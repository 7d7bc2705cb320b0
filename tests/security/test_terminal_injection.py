"""Bar L1: 8 payloads in every column that can hold text, on every screen: nothing is obeyed and nothing is fired.

The headless walk inspects every segment of every screen; the walk in a terminal reads what reaches it.
"""

import pytest

from store.pricing import ModelPrice
from store.store import Store
from tests.security.hostile import PAYLOADS, Place, plant, string_columns
from tests.security.walk import NAME, Outside, Seen, Walk, on_stage
from tests.stores import StillClock, make_store
from tests.unit.store.acts import allow_bindings
from tests.unit.store.whole_account import live, prepare_site

pytestmark = [pytest.mark.anyio, pytest.mark.long]

FIXED_WORDS: frozenset[Place] = frozenset(
    {
        ("accounts", "name_key"),
        ("accounts", "role"),
        ("accounts", "password_hash"),
        ("meta", "name"),
        ("providers", "kind"),
        ("site_settings", "name"),
        ("backup_codes", "code_hash"),
        ("two_factor_setups", "code_hashes"),
        ("usage_log", "kind"),
        ("outbox", "kind"),
        ("deliveries", "channel"),
        ("deliveries", "state"),
        ("passkey_ceremonies", "purpose"),
        ("passkey_ceremonies", "state"),
    }
)
"""Columns whose words the program compares with its own: another word there is damage, and has a test of its own."""


NEVER_SHOWN: frozenset[Place] = frozenset(
    {
        ("audit_events", "actor"),
        ("bindings", "subject"),
        ("deliveries", "lease"),
        ("outbox", "message_id"),
        ("outbox", "payload"),
        ("passkey_ceremonies", "label"),
        ("passkey_ceremonies", "source"),
        ("passkeys", "aaguid"),
        ("passkeys", "label_key"),
        ("passkeys", "transports"),
        ("pending_sign_ins", "method"),
        ("pending_sign_ins", "source"),
        ("providers", "client_id"),
        ("providers", "issuer"),
        ("providers", "slug"),
        ("rate_windows", "bucket"),
        ("throttles", "bucket"),
        ("tombstones", "id"),
        ("usage_days", "day"),
        ("usage_log", "api_key_name"),
        ("usage_log", "client_ip"),
        ("usage_log", "detail"),
        ("usage_log", "request_id"),
    }
)
"""Columns no screen shows today. A column in neither list has to be seen on the walk, or the walk is too short."""


@pytest.mark.parametrize("turn", range(len(PAYLOADS)))
async def test_no_screen_obeys_a_stored_string(turn: int) -> None:
    """Every column meets every payload once: column n has payload n + turn."""
    store, clock = filled()
    free = [place for place in string_columns() if place not in FIXED_WORDS]
    payloads = {place: PAYLOADS[(number + turn) % len(PAYLOADS)] for number, place in enumerate(free)}
    token = live(store, clock, NAME).person.token
    plant(store, payloads)
    account = Outside(store, token, PAYLOADS[turn])
    async with on_stage(store, clock, account) as stage:
        walk = Walk(stage, account)
        await walk.everything()
        assert stage.app.is_running
    report(walk.seen, len(free))
    assert walk.seen.obeyed == []
    assert walk.seen.armed == []
    assert walk.seen.literal, "markup was not shown as it stands"
    assert set(free) - walk.seen.shown == NEVER_SHOWN


@pytest.mark.parametrize("place", sorted(FIXED_WORDS), ids=".".join)
async def test_a_damaged_word_is_told_and_ends_nothing(place: Place) -> None:
    store, clock = filled()
    token = live(store, clock, NAME).person.token
    plant(store, {place: PAYLOADS[2]})
    account = Outside(store, token, PAYLOADS[2])
    async with on_stage(store, clock, account) as stage:
        walk = Walk(stage, account)
        await walk.stroll()
        assert stage.app.is_running
    assert walk.seen.obeyed == []


def filled() -> tuple[Store, StillClock]:
    clock = StillClock()
    store = make_store(clock=clock)
    prepare_site(store)
    allow_bindings(store, "gitlab")
    store.site.set("passkeys.origin", "http://localhost:8787")
    store.pricing.set(ModelPrice("a-model", 1, 2))
    return store, clock


def report(seen: Seen, columns: int) -> None:
    total = len(seen.screens) * columns
    bad = len(seen.obeyed) + len(seen.armed)
    print(f"BAR L1 {total - bad}/{total}")
