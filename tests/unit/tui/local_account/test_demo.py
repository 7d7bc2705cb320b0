"""The demo: its password is a good one, and an ordinary session does without the heavy parts."""

import subprocess
import sys
from typing import Final

import pytest

from store.strength import estimate
from tui.local_account.demo import EMAIL, NAME, PASSWORD

HEAVY: Final = {
    "zxcvbn": "word lists of 14 MB, for whoever chooses a password",
    "cryptography": "7 MB, for whoever has a sealed secret",
    "sqlalchemy.dialects.postgresql": "3 MB, for whoever has that server",
    "alembic": "for an upgrade",
    "httpx": "for a call",
    "store.outbox": "for the server",
    "store.retention": "for the server",
    "store.redeem_codes": "for the Wallet",
    "store.passkey_ceremonies": "for whoever has a passkey",
    "store.bindings": "for the tab Account Binding",
}

PROGRAM: Final = """
import sys
from tui.local_account.demo import open_demo
store, token = open_demo()
store.recommendations.check(token)
print(*(name for name in sys.argv[1:] if name in sys.modules))
"""


def test_the_password_would_be_accepted_from_anybody() -> None:
    assert estimate(PASSWORD, (NAME, EMAIL)).is_enough


def test_a_session_loads_nothing_that_it_does_not_need() -> None:
    loaded = subprocess.run([sys.executable, "-c", PROGRAM, *HEAVY], capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []


@pytest.mark.parametrize("name", HEAVY)
def test_what_is_looked_for_exists(name: str) -> None:
    subprocess.run([sys.executable, "-c", f"import {name}"], check=True)
