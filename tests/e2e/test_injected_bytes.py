"""Bar L1 where it counts: every byte the installed command writes, on a database full of hostile strings."""

import re
import secrets
from datetime import UTC, datetime, timedelta
from typing import Final

from store.key_file import create_key_file
from tests.e2e.installed import Home, Installed
from tests.harness.full_account import PASSWORD, filled, live
from tests.harness.hostile_text import PAYLOADS, free, is_obeyed, marker, plant
from tests.harness.screen_walk import NAME
from tests.harness.stores import StillClock

CODE: Final = re.compile(r"(?:[0-9A-Z]{4}-){3}[0-9A-Z]{4}")
SEQUENCE: Final = re.compile(r"\x1b\[[?<>=]?[\d;:]*\$?[A-Za-z]|\x1b\]22;[a-z-]*\x07")
"""Sequences of the console itself: colours, the cursor, modes, the pointer's shape. A payload that looks like one of
them is found by its own number."""
DIALOGS: Final = (("s", ("sessions", "source")), ("a", ("audit_events", "source")), ("y", ("passkeys", "label")))
TABS: Final = (
    ("1", ("bindings", "display")),
    ("3", ("notification_settings", "webhook_url")),
    ("4", ("unpriced_models", "model")),
)
"""A key, and a column whose marker shows that what it opens was drawn."""
MODULES: Final = (
    ("API Keys", ("api_keys", "name")),
    ("Usage Logs", ("usage_log", "model")),
    ("Wallet", ("ledger", "reason")),
)


def test_no_byte_of_a_stored_string_reaches_the_terminal_as_it_is(home: Home) -> None:
    code = fill(home)
    with home.console(columns=120, lines=40) as terminal:
        terminal.enter("Username", NAME)
        terminal.enter("Password", PASSWORD.format(NAME), masked=True)
        terminal.enter("Code", code)
        terminal.until("Account Binding")
        for key, place in DIALOGS:
            terminal.press(key)
            terminal.until(marker(place))
            terminal.press("escape")
            terminal.until_gone(marker(place))
        for key, place in TABS:
            terminal.press(key)
            terminal.until(marker(place))
        for module, place in MODULES:
            open_module(terminal, module)
            terminal.until(marker(place))
        terminal.quit()
        raw = bytes(terminal.raw)
    found = [payload.name for payload in PAYLOADS if payload.needle in raw]
    text = SEQUENCE.sub("", raw.decode()).replace("\r", "").replace("\n", "")
    obeyed = {character for character in text if is_obeyed(character)}
    assert (found, obeyed) == ([], set())
    assert terminal.clipboard == []


def open_module(terminal: Installed, name: str) -> None:
    """By the palette, which needs no order."""
    terminal.press("ctrl+p")
    terminal.until("Type what you want to do")
    terminal.type(name)
    terminal.until(lambda _: terminal.screen_text().count(name) >= 2)
    terminal.press("enter")


def fill(home: Home) -> str:
    """Make the database; returns a backup code to sign in with."""
    clock = StillClock(datetime.now(UTC) - timedelta(minutes=10))
    ring = create_key_file(home.config / "key", secrets.SystemRandom())
    store, _ = filled(f"sqlite:///{home.database}", clock=clock, ring=ring)
    planted = live(store, clock, NAME)
    plant(store, {place: PAYLOADS[number % len(PAYLOADS)] for number, place in enumerate(free())})
    store.database.close()
    return [secret for secret in planted.secrets if CODE.fullmatch(secret)][-1]
