"""From no account to two-factor authentication, by keyboard, as a stranger would who reads only the screen."""

from pathlib import Path
from typing import Final

import pytest

from tests.e2e.installed import Home, Installed, shown_key, step_now
from tests.e2e.steps import BACKUP_CODE, NAME
from tests.fakes.authenticator_app import code
from tests.harness.stores import PASSWORD

MOST_ACTS: Final = 8
"""Keys that are not text: what is typed into fields has no shorter way."""


class Counted:
    """A terminal whose keys are counted, and which notes each screen by its title."""

    def __init__(self, terminal: Installed) -> None:
        self.terminal = terminal
        self.acts = 0
        self.letters = 0
        self.screens: list[str] = []

    def see(self, *sentences: str) -> None:
        """Wait for a screen that says all of `sentences`, and note it by the first."""
        for sentence in sentences:
            self.terminal.until(sentence)
        self.screens.append(sentences[0])

    def press(self, key: str) -> None:
        self.terminal.press(key)
        self.acts += 1

    def write(self, text: str) -> None:
        self.terminal.type(text)
        self.letters += len(text)


def test_a_stranger_gets_from_nothing_to_two_factor_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Home(tmp_path).console() as terminal:
        person = Counted(terminal)
        person.see("Create your account", "Create account enter")
        person.write(NAME)
        person.press("enter")
        terminal.until(lambda _: terminal.has_focus("E-mail address"))
        person.press("enter")
        terminal.until(lambda _: terminal.has_focus("Password"))
        person.write(PASSWORD)
        person.press("enter")
        terminal.until(lambda _: terminal.has_focus("Repeat password"))
        person.write(PASSWORD)
        terminal.until("matches")
        person.press("enter")
        person.see("Security Settings", "Two-Factor Authentication", "a password alone is enough", "Enable f")
        person.press("f")
        person.see("① Scan QR Code", "Next enter")
        secret = shown_key(terminal)
        person.press("enter")
        terminal.until(lambda _: len(BACKUP_CODE.findall(terminal.screen_text())) == 10)
        person.see("② Save Backup Recovery Codes")
        person.write(BACKUP_CODE.findall(terminal.screen_text())[0])
        person.press("enter")
        terminal.until(lambda _: terminal.has_focus("Verification code"))
        person.see("③ Verify Setup", "Complete setup and enable two-factor authentication")
        person.write(code(secret, step_now()))
        person.see("Two-factor authentication is on.", "10 of 10 backup codes left")
        terminal.quit()
    with capsys.disabled():
        print(f"\n{person.acts} keys and {person.letters} typed characters over: {' > '.join(person.screens)}")
    assert person.acts <= MOST_ACTS
