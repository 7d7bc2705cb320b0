"""A passkey from the console, through a gateway and a browser that are programs of their own."""

import re
from time import perf_counter
from typing import Final

import pytest

from tests import parts
from tests.e2e.installed import Home, Installed
from tests.e2e.steps import NAME, administer, create_account, enable_two_factor, sign_out
from tests.harness.chromium import Tab, chromium
from tests.harness.stores import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.needs(parts.CHROMIUM)]

CODE: Final = re.compile(r"\b[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}\b")
LISTENS: Final = re.compile(r"listens on http://127\.0\.0\.1:(\d+)")


def answer(tab: Tab, terminal: Installed, port: int) -> None:
    """A person's steps with the address and the code that the console shows."""
    terminal.until(f"http://localhost:{port}/passkey")
    terminal.until(lambda _: CODE.search(terminal.screen_text()) is not None)
    code = CODE.search(terminal.screen_text())
    assert code is not None
    tab.open(f"http://localhost:{port}/passkey")
    tab.type("#code", code[0].lower())
    tab.press("Enter")
    tab.wait_for("!document.querySelector('#confirm').hidden")
    tab.click("#proceed")
    tab.wait_for("!document.querySelector('#done').hidden")


def choose_passkey(terminal: Installed) -> None:
    terminal.until("Passkey f3")
    terminal.until(lambda _: terminal.has_focus("Username"))
    terminal.press("f3")


def test_a_passkey_is_registered_from_the_console_and_signs_in(home: Home) -> None:
    with home.console() as terminal:
        create_account(terminal)
        terminal.until("Administrator has not enabled Passkey login")
        terminal.quit()
    with home.serving() as serving, chromium() as tab:
        port = serving.port
        administer(home, "site", "set", "passkeys.enabled", "true")
        administer(home, "site", "set", "passkeys.rp_id", "localhost")
        administer(home, "site", "set", "passkeys.origin", f"http://localhost:{port}")
        tab.add_authenticator()

        with home.console() as terminal:
            terminal.until("Passkey f3")
            terminal.enter("Username", NAME)
            terminal.enter("Password", PASSWORD, masked=True)
            terminal.until("Register y")
            terminal.press("y")
            terminal.until("There are none yet.")
            terminal.press("n")
            terminal.enter("Label", "laptop")
            answer(tab, terminal, port)
            since = perf_counter()
            terminal.until("The passkey laptop was registered.")
            print(f"the console noticed after {perf_counter() - since:.2f} s")
            terminal.press("escape")
            terminal.until("1 registered")
            terminal.quit()

        with home.console() as terminal:
            choose_passkey(terminal)
            answer(tab, terminal, port)
            terminal.until("1 registered")
            terminal.until("a password alone is enough")
            _, codes, _ = enable_two_factor(terminal)

            sign_out(terminal)
            choose_passkey(terminal)
            answer(tab, terminal, port)
            terminal.until("has two-factor authentication")
            terminal.enter("Code", codes[1])
            terminal.until("9 of 10 backup codes left")

            administer(home, "site", "set", "passkeys.enabled", "false")
            sign_out(terminal)
            terminal.until("Sign in enter")
            terminal.until_gone("Passkey f3")
            terminal.quit()
        assert tab.messages == []
