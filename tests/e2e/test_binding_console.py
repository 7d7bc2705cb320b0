"""An identity at a provider nobody here wrote, bound from the console and signed in with."""

import re
from typing import Final

import pytest

from tests import parts
from tests.e2e.installed import Home, Installed
from tests.e2e.steps import NAME, administer, create_account, enable_two_factor, sign_out
from tests.harness.stores import PASSWORD
from tests.oidc_provider.running import RunningProvider, running_provider

pytestmark = pytest.mark.needs(parts.NODE)

CODE: Final = re.compile(r"\b[A-Z]{4}-[A-Z]{4}\b")
USE: Final = "Test Login f4"


def code_shown(terminal: Installed, oidc: RunningProvider) -> str:
    """The complete address, from what stands on the screen."""
    terminal.until(f"{oidc.issuer}/device")
    terminal.until(lambda _: CODE.search(terminal.screen_text()) is not None)
    code = CODE.search(terminal.screen_text())
    assert code is not None
    return f"{oidc.issuer}/device?user_code={code[0]}"


def open_tab(terminal: Installed) -> None:
    terminal.press("1")
    terminal.until("Identity providers")


def choose_provider(terminal: Installed) -> None:
    terminal.until(USE)
    terminal.until(lambda _: terminal.has_focus("Username"))
    terminal.press("f4")


def test_an_identity_is_bound_from_the_console_and_signs_in(home: Home) -> None:
    with home.console() as terminal:
        create_account(terminal)
        terminal.press("1")
        terminal.until("Account bindings are disabled by the administrator.")
        terminal.quit()
    with running_provider() as oidc:
        administer(
            home, "provider", "add", "test", "--name", "Test Login", "--issuer", oidc.issuer, "--client-id", "console"
        )
        administer(home, "site", "set", "account_binding.enabled", "true")

        with home.console() as terminal:
            # Before it is bound the identity lets nobody in.
            choose_provider(terminal)
            oidc.approve(code_shown(terminal, oidc), "alice")
            terminal.until("No account is bound to this identity.")

            terminal.enter("Username", NAME)
            terminal.enter("Password", PASSWORD, masked=True)
            terminal.until("a password alone is enough")
            open_tab(terminal)
            terminal.press("tab", "enter")
            oidc.decline(code_shown(terminal, oidc))
            terminal.until("was declined at Test Login")
            terminal.press("escape")
            terminal.until_gone("was declined at Test Login")

            terminal.press("enter")
            oidc.approve(code_shown(terminal, oidc), "alice")
            terminal.until("Bind this identity?")
            terminal.until("alice-display at Test Login")
            terminal.press("y")
            terminal.until("The identity was bound.")
            terminal.until("bound just now")
            terminal.quit()

        with home.console() as terminal:
            choose_provider(terminal)
            oidc.approve(code_shown(terminal, oidc), "alice")
            terminal.until("a password alone is enough")
            _, codes, _ = enable_two_factor(terminal)

            sign_out(terminal)
            choose_provider(terminal)
            oidc.approve(code_shown(terminal, oidc), "alice")
            terminal.until("has two-factor authentication")
            terminal.enter("Code", codes[1])
            terminal.until("9 of 10 backup codes left")
            terminal.quit()
