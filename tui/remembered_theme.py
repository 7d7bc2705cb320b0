"""The theme that a person chose in the palette, remembered for the next start.

It is in a small file of its own beside keys.toml, because Gatekey never writes into a file that a person writes.
"""

from pathlib import Path
from typing import Final

from store import private_file, private_folder
from tui.themes import THEME_NAMES

FILE_NAME: Final = "theme.toml"
_TEXT: Final = """\
# Written by gatekey when a theme is chosen in its palette. Remove this file to go back to keys.toml.
theme = "{theme}"
# The theme in keys.toml at that time. Another one there takes effect again.
instead_of = "{instead_of}"
"""


def remembered_theme(path: Path, configured: str | None) -> str | None:
    """The remembered theme, or else `configured`, that of keys.toml.

    A file that cannot be used counts as none. The theme is also not used if keys.toml names another one by now.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return configured
    import tomllib

    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return configured
    theme = document.get("theme")
    is_current = document.get("instead_of", "") == (configured or "")
    return theme if is_current and isinstance(theme, str) and theme in THEME_NAMES else configured


def remember_theme(path: Path, theme: str, configured: str | None) -> None:
    """Write the file with mode 0600, its folder with mode 0700 if it is new. It blocks. Raises OSError."""
    private_folder.make(path.parent)
    private_file.replace(path, _TEXT.format(theme=theme, instead_of=configured or "").encode())
