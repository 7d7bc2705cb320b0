"""`gatekey init` in a real terminal: on a dumb one, line by line, with what is secret unseen."""

import json
from functools import partial
from typing import Final

from tests.e2e.installed import PATIENCE, Home
from tests.harness.pty_terminal import PtyTerminal
from tests.harness.stores import PASSWORD

API_KEY: Final = "sk-planted-key"
ANSWERS: Final = (
    ("Name:", "alice"),
    ("E-mail address:", "alice@example.com"),
    ("Password (unseen):", PASSWORD),
    ("Password again (unseen):", PASSWORD),
    ("Public address (Enter for none):", "https://gateway.example.com"),
    ("Networks of the proxy, with commas between [127.0.0.1/32]:", ""),
    ("Offer passkeys at this address? [no]:", ""),
    ("Its address (Enter for none):", "https://models.example.com/v1"),
    ("Its API key (unseen; Enter for none):", API_KEY),
    ("May accounts choose to call models that have no price? [yes]:", ""),
    ("Mail server (Enter for none):", ""),
    ("Will people come in that way? [no]:", ""),
    ("Write it? [yes]:", ""),
)


def _stands_at(question: str, terminal: PtyTerminal) -> bool:
    """True if nothing stands behind the question: it waits for its answer."""
    return terminal.screen_text().rstrip().endswith(question)


def test_an_administrator_sets_up_a_gateway_on_a_dumb_terminal(home: Home) -> None:
    with home.console("init", env={"TERM": "dumb"}, lines=60) as terminal:
        for question, answer in ANSWERS:
            terminal.until(partial(_stands_at, question))
            terminal.type(f"{answer}\r")
        assert terminal.exit_code(PATIENCE) == 0
        raw = bytes(terminal.raw)
    assert b"\x1b" not in raw, "a screen reader reads plain lines"
    assert PASSWORD.encode() not in raw
    assert API_KEY.encode() not in raw
    assert b"Next:\r\n  gatekey doctor\r\n" in raw
    stored = json.loads(home.run("admin", "site", "show", "--json").stdout)
    assert (stored["public_url"], stored["upstream.api_key"]["is_set"]) == ("https://gateway.example.com", True)
    assert home.run("doctor").returncode == 0


def test_ctrl_c_leaves_nothing_and_the_terminal_echoes_again(home: Home) -> None:
    with home.console("init") as terminal:
        for question, answer in ANSWERS[:2]:
            terminal.until(question)
            terminal.type(f"{answer}\r")
        terminal.until("Password (unseen):")
        terminal.type("\x03")
        assert terminal.exit_code(PATIENCE) == 130
        assert "Nothing was changed." in terminal.screen_text()
        assert terminal.left_on == ()
    assert not home.database.exists()
    assert not (home.config / "key").exists()
