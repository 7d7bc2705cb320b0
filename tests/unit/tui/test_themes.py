"""Every theme: all text can be read on every ground, also in chips, inputs and where the focus is."""

import pytest
from textual.app import App
from textual.color import Color
from textual.theme import Theme

from tui.themes import ANSI_DARK, ANSI_LIGHT, DARK, LIGHT, THEME_LABELS, THEME_NAMES, gatekey_themes

READABLE = 4.5
"""WCAG 2.2, 1.4.3: contrast of text."""
VISIBLE = 3.0
"""WCAG 2.2, 1.4.11: contrast of what is not text."""

THEMES = {theme.name: theme for theme in gatekey_themes()}
COLOURED = [name for name, theme in THEMES.items() if not theme.ansi]
TEXTS = ("foreground", "text", "text-primary", "text-success", "text-warning", "text-error", "footer-key-foreground")
MARKS = ("text-muted", "foreground-muted", "text-disabled")
GROUNDS = ("background", "surface", "panel")
XTERM = {
    "black": "#000000",
    "red": "#cd0000",
    "green": "#00cd00",
    "yellow": "#cdcd00",
    "blue": "#0000ee",
    "magenta": "#cd00cd",
    "cyan": "#00cdcd",
    "white": "#e5e5e5",
    "bright_black": "#7f7f7f",
    "bright_red": "#ff0000",
    "bright_green": "#00ff00",
    "bright_yellow": "#ffff00",
    "bright_blue": "#5c5cff",
    "bright_magenta": "#ff00ff",
    "bright_cyan": "#00ffff",
    "bright_white": "#ffffff",
}
"""The 16 colours of xterm(1)."""


def contrast(one: Color, other: Color) -> float:
    def luminance(color: Color) -> float:
        parts = [value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4 for value in color.normalized]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def colours(theme: Theme) -> dict[str, Color]:
    """The colours of the tokens, without those that depend on their ground."""
    tokens = {**theme.to_color_system().generate(), **theme.variables}
    return {name: Color.parse(value) for name, value in tokens.items() if value.startswith("#") and " " not in value}


@pytest.mark.parametrize("name", COLOURED)
@pytest.mark.parametrize("ground", GROUNDS)
def test_text_is_readable_on_every_ground(name: str, ground: str) -> None:
    tokens = colours(THEMES[name])
    ratios = {text: contrast(tokens[text], tokens[ground]) for text in TEXTS}
    assert {text: ratio for text, ratio in ratios.items() if ratio < READABLE} == {}
    faint = {mark: contrast(tokens[mark], tokens[ground]) for mark in MARKS}
    assert {mark: ratio for mark, ratio in faint.items() if ratio < VISIBLE} == {}


@pytest.mark.parametrize("name", COLOURED)
@pytest.mark.parametrize("ground", ["background", "surface"])
def test_chips_and_inputs_are_readable_on_every_ground(name: str, ground: str) -> None:
    """The shares of `$chip`, `$field`, `$field-focus` and of the danger chip in styles/forms.tcss."""
    tokens = colours(THEMES[name])
    below, foreground, accent, red = (tokens[token] for token in (ground, "foreground", "primary", "error"))
    chip, field = below.blend(foreground, 0.14), below.blend(foreground, 0.09)
    focused, danger = below.blend(accent, 0.26), below.blend(red, 0.22)
    ratios = {
        "label of a chip": contrast(foreground, chip),
        "key of a chip": contrast(tokens["text-accent"], chip),
        "label of a danger chip": contrast(tokens["text-error"], danger),
        "text of an input": contrast(foreground, field),
        "text of the input with the focus": contrast(foreground, focused),
    }
    assert {what: ratio for what, ratio in ratios.items() if ratio < READABLE} == {}
    faint = {
        "placeholder": contrast(tokens["text-muted"], field),
        "placeholder with the focus": contrast(tokens["text-muted"], focused),
        "disabled chip": contrast(tokens["text-disabled"], below.blend(foreground, 0.06)),
    }
    assert {what: ratio for what, ratio in faint.items() if ratio < VISIBLE} == {}


@pytest.mark.parametrize("name", COLOURED)
def test_the_focus_is_readable(name: str) -> None:
    tokens = colours(THEMES[name])
    assert contrast(tokens["block-cursor-foreground"], tokens["block-cursor-background"]) >= READABLE
    assert contrast(tokens["background"], tokens["error"]) >= READABLE, "the danger chip with the focus"
    for ground in GROUNDS:
        assert contrast(tokens["primary"], tokens[ground]) >= VISIBLE, "the marker"


@pytest.mark.parametrize(("name", "ground"), [(ANSI_DARK, "black"), (ANSI_LIGHT, "bright_white")])
def test_the_terminal_s_own_colours_are_readable(name: str, ground: str) -> None:
    theme = THEMES[name]
    named = {role: getattr(theme, role) for role in ("primary", "accent", "success", "warning", "error")}
    named |= {token: theme.variables[token] for token in ("footer-key-foreground", "link-color", "border")}
    ratios = {
        role: contrast(Color.parse(XTERM[color.removeprefix("ansi_")]), Color.parse(XTERM[ground]))
        for role, color in named.items()
    }
    assert {role: ratio for role, ratio in ratios.items() if ratio < READABLE} == {}
    cursor = [theme.variables[f"block-cursor-{part}"].removeprefix("ansi_") for part in ("foreground", "background")]
    assert contrast(Color.parse(XTERM[cursor[0]]), Color.parse(XTERM[cursor[1]])) >= READABLE


@pytest.mark.parametrize("name", [DARK, LIGHT])
def test_every_colour_is_a_cell_of_the_256_colour_cube(name: str) -> None:
    theme = THEMES[name]
    levels = {0, 95, 135, 175, 215, 255}
    chosen = [getattr(theme, role) for role in ("primary", "success", "warning", "error", "foreground", "background")]
    chosen += [theme.surface, theme.panel, theme.variables["text-muted"], theme.variables["text-disabled"]]
    for color in chosen:
        red, green, blue = Color.parse(color).rgb
        grey = red == green == blue and (red - 8) % 10 == 0
        assert grey or {red, green, blue} <= levels, (color, theme)


def test_there_is_one_accent() -> None:
    for theme in THEMES.values():
        assert theme.primary == theme.secondary == theme.accent


def test_all_that_is_offered_can_be_had() -> None:
    app = App[None]()
    for theme in THEMES.values():
        app.register_theme(theme)
    assert [app.get_theme(name) for name in THEME_NAMES] == list(THEMES.values())
    assert len(set(THEME_LABELS.values())) == len(THEME_NAMES)
