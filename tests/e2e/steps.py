"""Steps at the installed console that several files take."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from tests.e2e.installed import Home, Installed, shown_key, step_now
from tests.fakes.authenticator_app import code
from tests.harness.stores import PASSWORD

ROOT: Final = Path(__file__).parents[2]
NAME: Final = "wilhelmina"
EMAIL: Final = "wilhelmina@example.com"
BACKUP_CODE: Final = re.compile(r"\b(?:[0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}\b")


def create_account(terminal: Installed) -> None:
    terminal.until("Nobody has an account on this database yet.")
    terminal.enter("Username", NAME)
    terminal.enter("E-mail address", EMAIL)
    terminal.enter("Password", PASSWORD, masked=True)
    terminal.fill("Repeat password", PASSWORD, masked=True)
    terminal.until("strong")
    terminal.press("enter")
    terminal.until("Account Binding")
    terminal.until("a password alone is enough")


def enable_two_factor(terminal: Installed) -> tuple[str, tuple[str, ...], int]:
    """Walk the three steps; returns the key, the backup codes, and the step whose code confirmed it."""
    terminal.press("f")
    terminal.until("① Scan QR Code")
    secret = shown_key(terminal)
    terminal.press("enter")
    terminal.until(lambda _: len(BACKUP_CODE.findall(terminal.screen_text())) == 10)
    codes = tuple(BACKUP_CODE.findall(terminal.screen_text()))
    terminal.enter("Type one of the codes above", codes[0])
    terminal.until(lambda _: terminal.has_focus("Verification code"))  # what comes now depends on the time
    step = step_now()
    terminal.type(code(secret, step))  # the last digit completes the setup
    terminal.until("Two-factor authentication is on.")
    terminal.until("10 of 10 backup codes left")
    return secret, codes, step


def sign_out(terminal: Installed) -> None:
    """By the lock, which offers it."""
    terminal.press("ctrl+l")
    terminal.until("What you had not saved is still there.")
    terminal.press("escape")
    terminal.until("You signed out.")


@contextmanager
def signed_in(home: Home) -> Iterator[Installed]:
    """The console of a new account, on its Security tab."""
    home.add_account("alice")
    with home.console() as terminal:
        sign_in(terminal)
        yield terminal


def sign_in(terminal: Installed) -> None:
    terminal.enter("Username", "alice")
    terminal.enter("Password", PASSWORD, masked=True)
    terminal.until("a password alone is enough")
    terminal.until("permanent")


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Write to the database and do not finish, as another program might."""
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def administer(home: Home, *arguments: str) -> None:
    done = home.run("admin", *arguments)
    assert done.returncode == 0, done.stderr
