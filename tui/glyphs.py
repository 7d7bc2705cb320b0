"""Plain characters for a terminal without box characters. This is the only place that maps one to the other."""

from typing import Any, Final

from rich.cells import cell_len
from rich.segment import Segment
from textual.app import App
from textual.color import Color
from textual.filter import LineFilter

_PLAIN: Final = {
    "-": "─╌┄┈╴╶▁▔▂–—‐‑−",
    "=": "━═╍┅▃▄▀",
    "|": "│┃║▏▎▕▊▐┆┊",
    "+": "┌┐└┘├┤┬┴┼╭╮╯╰╔╗╚╝╠╣╦╩╬┏┓┗┛┣┫┳┻╋✓✔",
    ">": "▌›»→▶▸❯",
    "<": "‹«←◀◂",
    "*": "●•◉∙·⏺",
    "o": "○◯",
    "!": "▲△⚠",
    "x": "✗✘✕×",
    "^": "↑",
    "v": "↓▼▾",
    "#": "█▓▒▅▆▇",
    ":": "░",
    ".": "…",
    "'": "‘’",
    '"': "“”",
    "e": "⏎",
}
_TABLE: Final = {character: plain for plain, characters in _PLAIN.items() for character in characters}
UNKNOWN: Final = "?"
"""Stands for each cell of a character that the terminal does not have."""


class PlainGlyphs(LineFilter):
    """Replaces every character that `character_set` does not have. The width of the text does not change."""

    def __init__(self, character_set: str) -> None:
        super().__init__()
        self.character_set = character_set

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 (Textual's)
        return [
            segment
            if segment.control or segment.text.isascii()
            else Segment(self.plain(segment.text), segment.style, segment.control)
            for segment in segments
        ]

    def plain(self, text: str) -> str:
        """`text` in the characters of the set, in as many cells."""
        try:
            text.encode(self.character_set)
        except UnicodeEncodeError:
            return "".join(map(self._plain_character, text))
        return text

    def _plain_character(self, character: str) -> str:
        try:
            character.encode(self.character_set)
        except UnicodeEncodeError:
            return _TABLE.get(character, UNKNOWN * cell_len(character))
        return character


def has_box_characters(app: App[Any]) -> bool:
    """True if the terminal can show lines, bars and marks as they are."""
    return not any(isinstance(line_filter, PlainGlyphs) for line_filter in app.get_line_filters())
