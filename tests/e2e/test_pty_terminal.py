"""The terminal that the other tests trust: its answers, its bookkeeping and its pictures."""

import base64
import signal
from pathlib import Path

import pytest
import segno

from tests.fakes.authenticator_app import scan
from tests.harness.pty_terminal import PtyTerminal, ScreenTimeoutError, to_png


def shell(script: str, columns: int = 80, lines: int = 24) -> PtyTerminal:
    return PtyTerminal(["sh", "-c", script], columns=columns, lines=lines)


def test_a_program_has_the_terminal_it_was_promised() -> None:
    with shell("tty -s && stty size && echo $TERM $COLORTERM; echo lost >/dev/tty; read x; stty size") as terminal:
        terminal.wait_for("lost")
        assert terminal.screen_text().split() == ["24", "80", "xterm-256color", "truecolor", "lost"]
        terminal.resize(60, 20)
        terminal.press("enter")
        terminal.wait_for("20 60")
        assert terminal.exit_code() == 0


def test_exit_status_and_signals_come_back() -> None:
    with shell("exit 3") as terminal:
        assert terminal.exit_code() == 3
    with shell("echo ready; read x") as terminal:
        terminal.wait_for("ready")
        terminal.send_signal(signal.SIGTERM)
        assert terminal.exit_code() == -signal.SIGTERM


def test_a_wait_in_vain_says_what_the_screen_showed() -> None:
    with shell("echo here; read x") as terminal:
        terminal.wait_for("here")
        with pytest.raises(ScreenTimeoutError, match=r"(?s)Waited for 'there'.*here"):
            terminal.wait_for("there", timeout=0)
    with (
        shell("echo here") as terminal,
        pytest.raises(ScreenTimeoutError, match=r"(?s)Waited for 'there'; the program ended.*here"),
    ):
        terminal.wait_for("there")


def test_the_alternate_screen_gives_the_first_one_back() -> None:
    with shell(r"printf 'before \033[?1049h\033[2J\033[Hinside'; read x; printf '\033[?1049lafter'") as terminal:
        terminal.wait_for("inside")
        assert "before" not in terminal.screen_text()
        terminal.press("enter")
        terminal.wait_for("after")
        assert "before" in terminal.screen_text()
        assert "inside" not in terminal.screen_text()


def test_a_synchronized_update_shows_at_its_end() -> None:
    with shell(r"printf '\033[?2026hone '; read x; printf 'two\033[?2026l'; read x") as terminal:
        terminal.wait_for(lambda terminal: b"one" in terminal.raw)
        assert terminal.screen_text().strip() == ""
        terminal.press("enter")
        terminal.wait_for("two")
        assert "one" in terminal.screen_text()


def test_what_a_program_leaves_on_is_named() -> None:
    modes = r"\033[?1049h\033[?25l\033[?2004h\033[?7l\033[>25u\033[31m"
    with shell(f"printf '{modes}'; stty raw; printf done") as terminal:
        assert terminal.exit_code() == 0
        assert terminal.left_on == (
            "autowrap off",
            "cursor hidden",
            "alternate screen",
            "bracketed paste",
            "kitty keyboard",
            "colour",
            "raw input",
        )


def test_queries_are_answered() -> None:
    ask = r"stty raw -echo; printf 'ab\033[6n\033[c\033[?2026$p\033[?2048$p'; head -c 37 | tr '\033' '!'"
    with shell(ask) as terminal:
        assert terminal.exit_code() == 0
        assert "ab![1;3R![?62;22c![?2026;2$y![?2048;0$y" in terminal.screen_text()


def test_the_clipboard_keeps_what_was_sent() -> None:
    with shell(rf"printf '\033]52;c;{base64.b64encode(b'to copy').decode()}\a'") as terminal:
        assert terminal.exit_code() == 0
        assert terminal.clipboard == ["to copy"]


def test_cells_have_their_colours() -> None:
    with shell(r"printf '\033[1;31;44mA\033[0;2;38;2;1;2;3mB\033[0m漢'") as terminal:
        assert terminal.exit_code() == 0
        a, b, wide, rest = terminal.cells[0][:4]
        assert (a.text, a.foreground, a.background, a.bold, a.dim) == ("A", "red", "blue", True, False)
        assert (b.text, b.foreground, b.background, b.bold, b.dim) == ("B", "010203", "default", False, True)
        assert (wide.text, rest.text) == ("漢", "")


@pytest.mark.parametrize("pen", ["38;2;0;0;0;48;2;255;255;255", "38;5;16;48;5;231", "30;107", "7;97;40"])
def test_a_qr_code_on_the_screen_can_be_scanned(pen: str, tmp_path: Path) -> None:
    uri = "otpauth://totp/Gatekey:alice?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Gatekey"
    rows = [[*row] for row in segno.make(uri, error="l").matrix_iter(border=2)]
    rows += [[0] * len(rows[0])] * (len(rows) % 2)
    blocks = [
        "".join(" ▄▀█"[2 * bool(top) + bool(bottom)] for top, bottom in zip(*pair, strict=True))
        for pair in zip(rows[::2], rows[1::2], strict=True)
    ]
    text = tmp_path / "qr"
    text.write_text("".join(f"\x1b[{pen}m{line}\x1b[0m\r\n" for line in blocks))
    with PtyTerminal(["cat", text]) as terminal:
        assert terminal.exit_code() == 0
        assert scan(to_png(terminal.cells)) == uri
