"""Bar L1: 8 payloads in every column that can hold text, on every screen: nothing is obeyed and nothing is fired.

The headless walk inspects every segment of every screen; what reaches a terminal is read in
`tests/e2e/test_injected_bytes.py`.
"""

from typing import Final

import pytest

from tests.harness.drawers import PLACE
from tests.harness.full_account import filled, live
from tests.harness.hostile_text import FIXED_WORDS, KEPT_BY_FOREIGN_KEY, PAYLOADS, Place, free, plant
from tests.harness.screen_walk import NAME, Outside, Seen, Walk, every_screen, on_stage

FIRST_TURN: Final = 3
"""The turn that is walked always."""
BAIT: Final = "[@click=x]"
"""Short, so that it arms what follows even where little is shown."""


NEVER_SHOWN: frozenset[Place] = frozenset(
    {
        ("audit_events", "actor"),
        ("bindings", "subject"),
        ("deliveries", "lease"),
        ("deliveries", "lease_boot"),
        ("drawer_items", "fetch_id"),
        ("email_confirmations", "address"),
        ("email_confirmations", "message_id"),
        ("outbox", "message_id"),
        ("outbox", "payload"),
        ("passkey_ceremonies", "label"),
        ("passkey_ceremonies", "source"),
        ("passkeys", "aaguid"),
        ("passkeys", "label_key"),
        ("passkeys", "transports"),
        ("pending_sign_ins", "method"),
        ("pending_sign_ins", "source"),
        ("prices", "model_key"),
        ("providers", "client_id"),
        ("providers", "issuer"),
        ("providers", "slug"),
        ("rate_windows", "bucket"),
        ("redeem_codes", "created_by"),
        ("redeem_codes", "last_four"),
        ("redeem_codes", "note"),
        ("relay_files", "filename"),
        ("relay_files", "id"),
        ("relay_files", "purpose"),
        ("relay_files", "task_id"),
        ("stored_responses", "id"),
        ("site_events", "actor"),
        ("site_events", "detail"),
        ("site_events", "source"),
        ("site_events", "tag"),
        ("ssh_keys", "name_key"),
        ("throttles", "bucket"),
        ("tombstones", "id"),
        ("usage_days", "day"),
        ("usage_totals", "day"),
    }
)
"""Columns no screen shows today. A column in neither list has to be seen on the walk, or the walk is too short."""

NO_SCREEN_WITH_DATA: Final = {"CreateAccount"}
"""The first run, which finds an empty database. The walk sees all others."""


async def test_no_screen_obeys_a_stored_string() -> None:
    """Every column holds a payload, dealt in turn, behind markup that would arm it, and every screen is seen once."""
    seen = await walked(FIRST_TURN, before=BAIT)
    assert (seen.obeyed, seen.armed) == ([], [])
    assert {screen.__name__ for screen in every_screen()} - seen.kinds == NO_SCREEN_WITH_DATA


@pytest.mark.long
async def test_no_screen_obeys_any_string_from_any_column() -> None:
    """Every column meets every payload once: column n has payload n + turn."""
    looks = obeyed = armed = 0
    for turn in range(len(PAYLOADS)):
        seen = await walked(turn)
        looks += len(seen.screens) * len(free())
        obeyed += len(seen.obeyed)
        armed += len(seen.armed)
        assert (seen.obeyed, seen.armed) == ([], []), f"turn {turn}"
    print(
        f"BAR L1 {len(PAYLOADS)} payloads x {len(free())} columns x {looks // len(PAYLOADS) // len(free())} screens "
        f"= {looks} looks: {obeyed} control characters, {armed} actions"
    )


@pytest.mark.long
@pytest.mark.parametrize("place", sorted(FIXED_WORDS - KEPT_BY_FOREIGN_KEY), ids=".".join)
async def test_a_damaged_word_is_told_and_ends_nothing(place: Place) -> None:
    store, clock = filled()
    token = live(store, clock, NAME).person.token
    plant(store, {place: PAYLOADS[2]})
    account = Outside(store, token, PAYLOADS[2])
    async with on_stage(store, clock, account) as stage:
        walk = Walk(stage, account)
        await walk.stroll()
        assert stage.app.is_running
    assert (walk.seen.obeyed, walk.seen.armed) == ([], [])


async def walked(turn: int, *, before: str = "") -> Seen:
    """The findings of a walk through every screen, with payload n + `turn` in column n, `before` in front of it."""
    store, clock = filled()
    payloads = {place: PAYLOADS[(number + turn) % len(PAYLOADS)] for number, place in enumerate(free())}
    token = live(store, clock, NAME).person.token
    plant(store, {place: payload._replace(text=before + payload.text) for place, payload in payloads.items()})
    over_ssh = Outside(store, token, PAYLOADS[turn], fetch_place=PLACE)
    async with on_stage(store, clock, over_ssh) as stage:
        first = Walk(stage, over_ssh)
        await first.drawer()
    account = Outside(store, token, PAYLOADS[turn])
    async with on_stage(store, clock, account) as stage:
        walk = Walk(stage, account)
        walk.seen = first.seen
        await walk.everything()
        assert stage.app.is_running, "a stored string ended the console"
    assert walk.seen.literal, "markup was not shown as it stands"
    assert set(free()) - walk.seen.shown == NEVER_SHOWN
    return walk.seen
