"""Other terminals: without box characters, in another encoding, without a mouse, and below a shell with job control."""

from pathlib import Path

import pytest

from tests.e2e.installed import GATEKEY, Home, Installed

MOUSE_MODES = (1000, 1002, 1003, 1006)
PLAIN = {
    "LC_ALL=C": ({"LC_ALL": "C"}, "xterm-256color"),
    "a VT100": ({}, "vt100"),
    "a locale of ISO 8859-1": ({"LC_ALL": "en_US.ISO-8859-1"}, "xterm-256color"),
    "a stream of ISO 8859-1": ({"PYTHONIOENCODING": "iso-8859-1"}, "xterm-256color"),
}


@pytest.mark.parametrize("name", PLAIN)
def test_without_box_characters_every_line_and_mark_is_ascii(name: str, tmp_path: Path) -> None:
    env, term = PLAIN[name]
    with Home(tmp_path).console("--demo", env=env, term=term, colorterm="") as terminal:
        terminal.until("^q Quit")
        terminal.until("Delete account")
        terminal.until(lambda _: "====" in terminal.screen_text())  # the tab in front
        terminal.until(lambda _: "- Password Management -----" in terminal.screen_text())
        terminal.press("3")
        terminal.until("Quota Warning Threshold")
        terminal.until(lambda _: "[x]" in terminal.screen_text() or "[ ]" in terminal.screen_text())
        terminal.press("f1")
        terminal.until(lambda _: "+- Help ---" in terminal.screen_text())
        terminal.press("f1", "2", "f")
        terminal.until("This terminal cannot draw a QR code.")
        terminal.press("escape")
        terminal.until("Leave the setup?")
        terminal.press("y")
        terminal.until_gone("Leave the setup?")
        terminal.quit()
        drawn = bytes(terminal.raw)
    assert drawn.isascii() or (b"\xb7" in drawn and not drawn.replace(b"\xb7", b"").strip(bytes(range(128))))
    assert b"\\u" not in drawn


def test_a_name_in_latin_1_is_shown_and_typed_in_it(home: Home) -> None:
    added = home.run(
        "admin", "user", "add", "Zoë", "--email", "z@example.com", "--password-stdin", stdin="pässwörter 12"
    )
    assert added.returncode == 0, added.stderr
    with home.console(env={"LC_ALL": "de_DE.ISO-8859-1"}) as terminal:
        terminal.until("Sign in")
        terminal.send("Zoë".encode("iso-8859-1"))
        terminal.press("tab")
        terminal.send("pässwörter 12".encode("iso-8859-1"))
        terminal.press("enter")
        terminal.until("Delete account")
        assert "Zoë".encode("iso-8859-1") in bytes(terminal.raw)
        terminal.quit()


def test_the_keys_of_putty_are_understood(tmp_path: Path) -> None:
    """By default PuTTY sends function keys, Home and End as a VT220 does, and arrows in application mode."""
    f1, f2, home, end, delete, up, down = b"[11~", b"[12~", b"[1~", b"[4~", b"[3~", b"OA", b"OB"
    with Home(tmp_path).console("--demo", term="xterm", colorterm="") as terminal:

        def send(*sequences: bytes) -> None:
            terminal.send(b"".join(b"\x1b" + sequence for sequence in sequences))

        terminal.until("Delete account")
        send(f2)
        terminal.until("PERSONAL CENTER")
        send(f2)
        terminal.until_gone("PERSONAL CENTER")
        send(f1)
        terminal.until(lambda _: "─ Help ─" in terminal.screen_text())
        send(f1)
        terminal.until(lambda _: "─ Help ─" not in terminal.screen_text())
        terminal.press("3")
        terminal.until("Quota Warning Threshold")
        send(down, up, down)
        terminal.until(lambda _: terminal.has_focus("Quota Warning Threshold"))
        send(home, delete)
        terminal.type("7")
        send(end)
        terminal.type("5")
        terminal.until("7.005")
        terminal.press("escape")
        terminal.until(lambda _: not terminal.has_focus("Quota Warning Threshold"))
        terminal.press("u")
        terminal.until_gone("7.005")
        terminal.quit()


@pytest.mark.parametrize("is_on", [True, False])
def test_the_mouse_can_be_switched_off(is_on: bool, home: Home) -> None:
    (home.config / "keys.toml").write_text(f"[console]\nmouse = {str(is_on).lower()}\n")
    with home.console("--demo") as terminal:
        terminal.until("Delete account")
        assert any(terminal.modes.get(mode) for mode in MOUSE_MODES) is is_on
        terminal.quit()


def test_ctrl_z_goes_back_to_the_shell_and_fg_comes_back(home: Home, tmp_path: Path) -> None:
    shell = ["bash", "--norc", "--noprofile", "-i"]
    with Installed(shell, env={**home.env, "PS1": "shell> "}, cwd=tmp_path) as terminal:
        terminal.until("shell>")
        terminal.type(f"{GATEKEY} --demo\n")
        terminal.until("Delete account")
        terminal.press("ctrl+z")
        terminal.until("Stopped")
        assert not any(terminal.modes.get(mode) for mode in MOUSE_MODES)
        terminal.type("echo $((6 * 7)) back\n")
        terminal.until("42 back")
        terminal.type("fg\n")
        terminal.until("Delete account")
        terminal.until_gone("Stopped")
        terminal.press("4")
        terminal.until("Accept Models Without Price Settings")
        terminal.press("ctrl+q")
        # What is typed before the console has given the terminal back is dropped: wait for the new prompt.
        terminal.until(lambda _: terminal.screen_text().rstrip().endswith("shell>"))
        terminal.type("exit\n")
        assert terminal.exit_code() == 0


def test_without_a_shell_that_could_continue_it_ctrl_z_does_nothing(tmp_path: Path) -> None:
    with Home(tmp_path).console("--demo") as terminal:
        terminal.until("Delete account")
        terminal.press("ctrl+z", "4")
        terminal.until("Accept Models Without Price Settings")
        terminal.quit()
