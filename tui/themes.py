"""The themes that a person can choose. All of them are ours; where a name is known, so are the colours.

Greys and accents of Gatekey's own two are colours of the 256-colour palette, so a terminal without true colour shows
the same picture.
"""

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from textual.theme import Theme

DARK: Final = "gatekey-dark"
LIGHT: Final = "gatekey-light"
NORD: Final = "nord"
GRUVBOX: Final = "gruvbox"
CATPPUCCIN: Final = "catppuccin-mocha"
ANSI_DARK: Final = "ansi-dark"
ANSI_LIGHT: Final = "ansi-light"

THEME_LABELS: Final = {
    DARK: "Gatekey dark",
    LIGHT: "Gatekey light",
    NORD: "Nord",
    GRUVBOX: "Gruvbox",
    CATPPUCCIN: "Catppuccin Mocha",
    ANSI_DARK: "Terminal colours, dark",
    ANSI_LIGHT: "Terminal colours, light",
}
"""The name of each theme for a person. The last two use the terminal's own 16 colours."""

THEME_NAMES: Final = tuple(THEME_LABELS)
"""The themes as keys.toml names them."""


class _Palette(NamedTuple):
    """The colours of a theme, as hexadecimal RGB."""

    accent: str
    green: str
    amber: str
    red: str
    foreground: str
    muted: str
    disabled: str
    background: str
    surface: str
    panel: str
    line: str
    """Rules and borders without the focus."""
    red_text: str
    """Lighter or darker than `red`, for text on a red ground."""
    thumb: str
    """The scrollbar under the pointer."""
    selection: str = "35%"
    """The share of the accent behind selected text."""


_PALETTES: Final = {
    DARK: _Palette(
        accent="#5fafd7",
        green="#87af5f",
        amber="#d7af5f",
        red="#d75f5f",
        foreground="#dadada",
        muted="#949494",
        disabled="#808080",
        background="#121212",
        surface="#1c1c1c",
        panel="#262626",
        line="#444444",
        red_text="#eb9393",
        thumb="#626262",
    ),
    LIGHT: _Palette(
        accent="#005f87",
        green="#005f00",
        amber="#875f00",
        red="#af0000",
        foreground="#1c1c1c",
        muted="#5f5f5f",
        disabled="#767676",
        background="#eeeeee",
        surface="#e4e4e4",
        panel="#dadada",
        line="#b2b2b2",
        red_text="#870000",
        thumb="#8a8a8a",
        selection="30%",
    ),
    # https://www.nordtheme.com/docs/colors-and-palettes
    NORD: _Palette(
        accent="#88c0d0",
        green="#a3be8c",
        amber="#ebcb8b",
        red="#d8848c",
        foreground="#e5e9f0",
        muted="#abb5c8",
        disabled="#8f9ab0",
        background="#2e3440",
        surface="#353c4a",
        panel="#3b4252",
        line="#4c566a",
        red_text="#ecb9be",
        thumb="#616e88",
    ),
    # https://github.com/morhetz/gruvbox
    GRUVBOX: _Palette(
        accent="#8fb3a5",
        green="#b8bb26",
        amber="#fabd2f",
        red="#fb6a58",
        foreground="#ebdbb2",
        muted="#bdae93",
        disabled="#928374",
        background="#282828",
        surface="#32302f",
        panel="#3c3836",
        line="#504945",
        red_text="#ff9c8c",
        thumb="#665c54",
    ),
    # https://github.com/catppuccin/catppuccin
    CATPPUCCIN: _Palette(
        accent="#cba6f7",
        green="#a6e3a1",
        amber="#f9e2af",
        red="#f38ba8",
        foreground="#cdd6f4",
        muted="#9399b2",
        disabled="#7f849c",
        background="#1e1e2e",
        surface="#252536",
        panel="#313244",
        line="#45475a",
        red_text="#f7b3c6",
        thumb="#585b70",
    ),
}


def gatekey_themes() -> "tuple[Theme, ...]":
    """Every theme of `THEME_NAMES`, for `App.register_theme`."""
    coloured = (_coloured(name, palette) for name, palette in _PALETTES.items())
    return (*coloured, _ansi_dark(), _ansi_light())


def _coloured(name: str, palette: _Palette) -> "Theme":
    from textual.theme import Theme

    return Theme(
        name=name,
        dark=name != LIGHT,
        primary=palette.accent,
        secondary=palette.accent,
        accent=palette.accent,
        success=palette.green,
        warning=palette.amber,
        error=palette.red,
        foreground=palette.foreground,
        background=palette.background,
        surface=palette.surface,
        panel=palette.panel,
        boost=palette.panel,
        variables={
            "text": palette.foreground,
            "text-error": palette.red_text,
            "text-muted": palette.muted,
            "foreground-muted": palette.muted,
            "text-disabled": palette.disabled,
            "border": palette.accent,
            "border-blurred": palette.line,
            "block-cursor-background": palette.accent,
            "block-cursor-foreground": palette.background,
            "block-cursor-blurred-foreground": palette.foreground,
            "footer-background": palette.surface,
            "footer-key-foreground": palette.accent,
            "input-selection-background": f"{palette.accent} {palette.selection}",
            "scrollbar": palette.line,
            "scrollbar-hover": palette.thumb,
            "scrollbar-active": palette.accent,
            "scrollbar-background": palette.surface,
            "scrollbar-background-hover": palette.surface,
            "scrollbar-background-active": palette.surface,
        },
    )


def _ansi_dark() -> "Theme":
    """The terminal's own colours on a dark ground. Blue and the dim colours cannot be read on black."""
    from textual.theme import Theme

    return Theme(
        name=ANSI_DARK,
        ansi=True,
        dark=True,
        primary="ansi_bright_cyan",
        secondary="ansi_bright_cyan",
        accent="ansi_bright_cyan",
        success="ansi_bright_green",
        warning="ansi_bright_yellow",
        error="ansi_bright_red",
        foreground="ansi_default",
        background="ansi_default",
        surface="ansi_default",
        panel="ansi_default",
        boost="ansi_default",
        variables={
            "ansi-background": "ansi_black",
            "ansi-foreground": "ansi_white",
            "border": "ansi_bright_cyan",
            "border-blurred": "ansi_white",
            "block-cursor-foreground": "ansi_black",
            "block-cursor-background": "ansi_bright_cyan",
            "footer-key-foreground": "ansi_bright_cyan",
            "link-color": "ansi_bright_cyan",
            "input-cursor-background": "ansi_black",
            "input-cursor-foreground": "ansi_bright_white",
            "input-cursor-text-style": "none",
            "input-selection-background": "ansi_cyan",
            "input-selection-foreground": "ansi_black",
            "scrollbar": "ansi_white",
            "scrollbar-hover": "ansi_bright_white",
            "scrollbar-active": "ansi_bright_cyan",
            "screen-selection-background": "ansi_cyan",
            "screen-selection-foreground": "ansi_black",
        },
    )


def _ansi_light() -> "Theme":
    """The terminal's own colours on a light ground. Green, yellow and the bright colours cannot be read on white."""
    from textual.theme import Theme

    return Theme(
        name=ANSI_LIGHT,
        ansi=True,
        dark=False,
        primary="ansi_blue",
        secondary="ansi_blue",
        accent="ansi_blue",
        success="ansi_blue",
        warning="ansi_magenta",
        error="ansi_red",
        foreground="ansi_default",
        background="ansi_default",
        surface="ansi_default",
        panel="ansi_default",
        boost="ansi_default",
        variables={
            "ansi-background": "ansi_white",
            "ansi-foreground": "ansi_black",
            "border": "ansi_blue",
            "border-blurred": "ansi_bright_black",
            "block-cursor-foreground": "ansi_bright_white",
            "block-cursor-background": "ansi_blue",
            "footer-key-foreground": "ansi_blue",
            "link-color": "ansi_blue",
            "input-cursor-background": "ansi_bright_white",
            "input-cursor-foreground": "ansi_black",
            "input-cursor-text-style": "reverse",
            "input-selection-background": "ansi_blue",
            "input-selection-foreground": "ansi_bright_white",
            "scrollbar": "ansi_bright_black",
            "scrollbar-hover": "ansi_blue",
            "scrollbar-active": "ansi_blue",
            "scrollbar-background": "ansi_white",
            "scrollbar-corner-color": "ansi_default",
            "scrollbar-background-hover": "ansi_white",
            "scrollbar-background-active": "ansi_white",
            "block-hover-background": "ansi_white",
            "screen-selection-background": "ansi_blue",
            "screen-selection-foreground": "ansi_bright_white",
        },
    )
