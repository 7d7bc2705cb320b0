"""The two themes: all text can be read, and terminals of 256 colours show the colours as they are."""

import pytest
from textual.app import App
from textual.color import Color

from tui.themes import DARK, LIGHT, THEME_NAMES, gatekey_themes

READABLE = 4.5
"""WCAG 2.2, 1.4.3: contrast of text."""

THEMES = {theme.name: theme for theme in gatekey_themes()}
TEXTS = ("foreground", "text-primary", "text-success", "text-warning", "text-error", "footer-key-foreground")


def contrast(one: Color, other: Color) -> float:
    def luminance(color: Color) -> float:
        parts = [value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4 for value in color.normalized]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("name", [DARK, LIGHT])
@pytest.mark.parametrize("text", TEXTS)
def test_text_is_readable_on_every_ground(name: str, text: str) -> None:
    colors = THEMES[name].to_color_system().generate()
    for ground in ("background", "surface", "panel"):
        ratio = contrast(Color.parse(colors[text]), Color.parse(colors[ground]))
        assert ratio >= READABLE, (text, ground, ratio)


@pytest.mark.parametrize("name", [DARK, LIGHT])
def test_the_focus_is_readable(name: str) -> None:
    colors = THEMES[name].to_color_system().generate()
    cursor = Color.parse(colors["block-cursor-foreground"]), Color.parse(colors["block-cursor-background"])
    assert contrast(*cursor) >= READABLE


@pytest.mark.parametrize("name", [DARK, LIGHT])
def test_every_colour_is_a_cell_of_the_256_colour_cube(name: str) -> None:
    theme = THEMES[name]
    levels = {0, 95, 135, 175, 215, 255}
    for role in ("primary", "success", "warning", "error", "foreground", "background", "surface", "panel"):
        red, green, blue = Color.parse(getattr(theme, role)).rgb
        grey = red == green == blue and (red - 8) % 10 == 0
        assert grey or {red, green, blue} <= levels, (role, theme)


def test_there_is_one_accent() -> None:
    for theme in THEMES.values():
        assert theme.primary == theme.secondary == theme.accent


def test_all_that_is_offered_can_be_had() -> None:
    app = App[None]()
    for theme in THEMES.values():
        app.register_theme(theme)
    for name in THEME_NAMES:
        assert app.get_theme(name) is not None
