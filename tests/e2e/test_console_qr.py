"""The QR code as terminals draw it, turned to pixels and read back by a program that is not ours."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.e2e.installed import PATIENCE, Home, shown_key
from tests.fakes.authenticator_app import scan
from tests.harness.pty_terminal import to_png

TERMINALS: Final[tuple[tuple[str, str, Mapping[str, Any]], ...]] = (
    ("true colour, dark", "gatekey-dark", {}),
    ("true colour, light", "gatekey-light", {}),
    ("the terminal's own colours, dark", "ansi-dark", {}),
    ("the terminal's own colours, light", "ansi-light", {}),
    ("no colour", "gatekey-light", {"env": {"NO_COLOR": "1"}}),
    ("256 colours", "gatekey-dark", {"colorterm": ""}),
    ("16 colours", "gatekey-dark", {"term": "linux", "colorterm": ""}),
    ("16 colours, light", "gatekey-light", {"term": "linux", "colorterm": ""}),
)
"""The case's name, the theme in keys.toml, and the terminal."""
PAPERS: Final = (("e5e5e5", "000000"), ("000000", "ffffff"))
"""A terminal's own foreground and background: dark, and light."""


@pytest.mark.parametrize(("theme", "options"), [each[1:] for each in TERMINALS], ids=[each[0] for each in TERMINALS])
def test_the_code_on_the_screen_is_read_as_the_key_beside_it(
    theme: str, options: Mapping[str, Any], home: Home
) -> None:
    (home.config / "keys.toml").write_text(f'[console]\ntheme = "{theme}"\n')
    with home.console("--demo", **options) as terminal:
        terminal.until("only this one")
        terminal.press("f")
        terminal.until("Scan QR Code")
        terminal.until(lambda _: "╰──" in terminal.screen_text().split("\n")[23])  # drawn to its end
        secret = shown_key(terminal)
        for foreground, background in PAPERS:
            picture = to_png(terminal.cells, foreground=foreground, background=background)
            address = urlsplit(scan(picture))
            assert (address.scheme, address.netloc, address.path) == ("otpauth", "totp", "/Gatekey:alice")
            assert parse_qs(address.query) == {"secret": [secret], "issuer": ["Gatekey"]}
        terminal.press("ctrl+q")
        terminal.until("Leave the setup?")
        terminal.press("y")
        assert terminal.exit_code(PATIENCE) == 0
