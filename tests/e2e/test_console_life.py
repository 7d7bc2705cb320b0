"""One person's account from its first minute to its last, through the installed command in a terminal."""

import json
import stat
from pathlib import Path
from typing import Final

from store.errors import CodeAlreadyUsed, WrongCode
from store.totp import DRIFT_STEPS, provisioning_uri
from tests.e2e.installed import PATIENCE, Home, Installed, shown_key, shown_token, step_now
from tests.e2e.steps import EMAIL, NAME, create_account, enable_two_factor, sign_out
from tests.fakes.authenticator_app import code
from tests.harness.stores import PASSWORD

NEW_PASSWORD: Final = "quiet harbour lantern sky"


def test_an_account_from_its_first_minute_to_its_last(home: Home) -> None:
    with home.console() as terminal:
        create_account(terminal)
        secret, codes, spent = enable_two_factor(terminal)
        terminal.quit()

    with home.console() as terminal:
        give_password(terminal, PASSWORD)
        enter_spent_code(terminal, secret, spent)
        terminal.until(lambda _: terminal.has_focus("Code"))  # what comes now depends on the time
        terminal.enter("Code", code(secret, max(spent + 1, step_now())))
        terminal.until("Account Binding")

        sign_out(terminal)
        give_password(terminal, PASSWORD)
        terminal.enter("Code", codes[1])
        terminal.until("9 of 10 backup codes left")

        sign_out(terminal)
        give_password(terminal, PASSWORD)
        terminal.enter("Code", codes[1])
        terminal.until("This backup code was used before.")
        terminal.enter("Code", codes[2])
        terminal.until("8 of 10 backup codes left")

        change_password(terminal)
        sign_out(terminal)
        terminal.enter("Username", NAME)
        terminal.enter("Password", PASSWORD, masked=True)
        terminal.until("Wrong username or password.")
        terminal.enter("Password", NEW_PASSWORD, masked=True)
        terminal.enter("Code", codes[3])
        terminal.until("7 of 10 backup codes left")

        token = generate_token(terminal, home)
        secrets = (PASSWORD, NEW_PASSWORD, secret, token, *codes)
        assert found_in(home.data, (NAME, EMAIL)) == {NAME, EMAIL}
        assert found_in(home.data, secrets) == set(), "a secret is kept as it is"

        export_everything(terminal, home, secrets)
        terminal.until(lambda _: terminal.row("Username") >= 0)
        terminal.press("up")
        terminal.fill("Username", NAME)
        terminal.press("enter")
        terminal.until("Nobody has an account on this database yet.")
        terminal.until("Your account and everything stored about it was deleted.")
        terminal.quit()
    assert found_in(home.data, (NAME, EMAIL, *secrets)) == set()


def enter_spent_code(terminal: Installed, secret: str, spent: int) -> None:
    """It is refused as used before; on a machine that took a minute to come here, as one that is too old."""
    terminal.enter("Code", code(secret, spent))
    refusals = (CodeAlreadyUsed.sentence, "Your authenticator's clock is about", WrongCode.sentence)
    terminal.until(lambda _: any(refusal in terminal.words() for refusal in refusals))
    if step_now() <= spent + DRIFT_STEPS:  # it was not yet too old when it was looked at, either
        assert CodeAlreadyUsed.sentence in terminal.words()


def give_password(terminal: Installed, password: str) -> None:
    terminal.enter("Username", NAME)
    terminal.enter("Password", password, masked=True)
    terminal.until("Enter the code your authenticator app shows.")


def change_password(terminal: Installed) -> None:
    terminal.press("p")
    terminal.enter("Original password", PASSWORD, masked=True)
    terminal.enter("New password", NEW_PASSWORD, masked=True)
    terminal.enter("Confirm new password", NEW_PASSWORD, masked=True)
    terminal.until_gone("Confirm new password")
    terminal.until("changed just now")


def generate_token(terminal: Installed, home: Home) -> str:
    """Generate, reveal, save as a file and close; returns the token."""
    terminal.press("t")
    terminal.until("Generate a new System Access Token?")
    terminal.press("y")
    terminal.until("This is your new token.")
    assert "gk_" not in terminal.words()
    terminal.press("space")
    shown = shown_token(terminal)
    terminal.press("w")
    terminal.until("Only you will be able to read the file.")
    terminal.press("enter")
    terminal.until("readable by you alone")
    file = home.folder / "gatekey-access-token.txt"
    token = file.read_text().strip()
    assert token == shown
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "gk_" not in terminal.words(), "another screen covered the token, and it is still shown"
    terminal.press("escape")
    terminal.until_gone("This is your new token.")
    terminal.until(f"gk_…{token[-4:]}")
    return token


def export_everything(terminal: Installed, home: Home, secrets: tuple[str, ...]) -> None:
    """Open Delete Account and take its offer to export first."""
    terminal.press("x")
    terminal.until("Ensure all necessary data has been exported before proceeding.")
    terminal.press("e")
    terminal.until("Export everything Only you")
    terminal.press("enter")
    terminal.until("readable by you alone")
    file = home.folder / "gatekey-export.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_text()
    json.loads(text)
    assert NAME in text
    assert [secret for secret in secrets if secret in text] == []


def found_in(folder: Path, texts: tuple[str, ...]) -> set[str]:
    """Those of `texts` that stand in any file of the folder, in UTF-8 or UTF-16."""
    content = b"".join(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())
    return {text for text in texts if text.encode() in content or text.encode("utf-16-le") in content}


def test_the_key_on_the_screen_is_the_one_that_is_saved(home: Home) -> None:
    with home.console("--demo") as terminal:
        terminal.until("a password alone is enough")
        terminal.until("permanent")
        terminal.press("f")
        terminal.until("① Scan QR Code")
        secret = shown_key(terminal)
        terminal.press("ctrl+s")
        terminal.until("Only you will be able to read the file.")
        terminal.press("enter")
        terminal.until("Saved to")
        assert (home.folder / "gatekey-2fa-key.txt").read_text() == f"{secret}\n{provisioning_uri(secret, 'alice')}\n"
        terminal.press("ctrl+q")
        terminal.until("Leave the setup?")
        terminal.press("y")
        assert terminal.exit_code(PATIENCE) == 0
