"""The screen of an application as a picture, so that a QR code on it can be read."""

from typing import Any

from rich.color import Color
from rich.style import Style
from textual.app import App

from tests.harness.pty_screen import Cell, to_png


def hexadecimal(colour: Color | None) -> str:
    return "default" if colour is None or colour.is_default else colour.get_truecolor().hex.removeprefix("#")


def cell(text: str, style: Style) -> Cell:
    flags = (style.bold, style.dim, style.italic, style.underline, style.strike, style.reverse)
    return Cell(text, hexadecimal(style.color), hexadecimal(style.bgcolor), *map(bool, flags))


def picture_of(app: App[Any]) -> bytes:
    """The screen as a PNG, each cell in the colours that its style gives it."""
    strips = app.screen._compositor.render_strips()
    return to_png(
        [[cell(text, segment.style or Style()) for segment in strip for text in segment.text] for strip in strips]
    )
