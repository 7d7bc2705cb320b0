"""`gatekey account` at a terminal: a person reads line by line, types secrets unseen, and may be asked again."""

import re

import pyotp

from tests.e2e.installed import Home
from tests.harness.stores import PASSWORD


def test_nothing_to_two_factor_on_line_by_line(home: Home) -> None:
    home.add_account("alice")
    with home.console("account", "2fa", "enable") as terminal:
        terminal.until("user name:")
        terminal.type("alice\n")
        terminal.until("Password:")
        terminal.type(f"{PASSWORD}\n")
        terminal.until("Step 2 of 3")
        shown = terminal.screen_text()
        (secret,) = re.findall(r"secret=([A-Z2-7]+)", shown.replace("\n", ""))
        code = re.findall(r"^[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}$", shown, re.MULTILINE)[0]
        terminal.until("Backup code:")
        terminal.type("wrong\n")
        terminal.until("Not one of these codes.")
        terminal.type(f"{code}\n")
        terminal.until("Step 3 of 3")
        terminal.type(f"{pyotp.TOTP(secret).now()}\n")
        terminal.until("Two-factor authentication is on.")
        assert terminal.exit_code() == 0
        assert PASSWORD not in terminal.screen_text()
        assert terminal.left_on == ()
    with home.console("account", "--user", "alice", "show", "--json") as terminal:
        terminal.until("Password:")
        terminal.type(f"{PASSWORD}\n")
        terminal.until("or a backup code:")
        terminal.type("000000\n")
        terminal.until("The code is wrong.")
        terminal.type(f"{code}\n")
        assert terminal.exit_code() == 0
        said = bytes(terminal.raw).decode()
    assert "Unused backup codes: 9." in said
    assert '"enabled": true' in said


def test_ctrl_c_ends_a_question_and_the_session(home: Home) -> None:
    home.add_account("alice")
    with home.console("account", "--user", "alice", "delete") as terminal:
        terminal.until("Password:")
        terminal.type(f"{PASSWORD}\n")
        terminal.until("Type the name of the account")
        terminal.press("ctrl+c")
        assert terminal.exit_code() == 130
        assert "Traceback" not in terminal.screen_text()
    with home.console("account", "--user", "alice", "sessions", "list", "--json") as terminal:
        terminal.until("Password:")
        terminal.type(f"{PASSWORD}\n")
        terminal.until('"sessions"')
        assert terminal.exit_code() == 0
        assert terminal.screen_text().count('"id"') == 1  # the session of the interrupted command has ended
