"""Gatekey's two themes, and the names of all that a person can choose.

Greys and accents are colours of the 256-colour palette, so a terminal without true colour shows the same picture.
"""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from textual.theme import Theme

DARK: Final = "gatekey-dark"
LIGHT: Final = "gatekey-light"
ANSI_DARK: Final = "ansi-dark"
ANSI_LIGHT: Final = "ansi-light"

THEME_NAMES: Final = (DARK, LIGHT, ANSI_DARK, ANSI_LIGHT)
"""The themes that a person can choose. The last two use the terminal's own 16 colours."""


def gatekey_themes() -> "tuple[Theme, Theme]":
    """The dark and the light theme, for `App.register_theme`."""
    from textual.theme import Theme

    dark = Theme(
        name=DARK,
        dark=True,
        primary="#5fafd7",
        secondary="#5fafd7",
        accent="#5fafd7",
        success="#87af5f",
        warning="#d7af5f",
        error="#d75f5f",
        foreground="#dadada",
        background="#121212",
        surface="#1c1c1c",
        panel="#262626",
        boost="#262626",
        variables={
            "border": "#5fafd7",
            "border-blurred": "#444444",
            "block-cursor-background": "#5fafd7",
            "block-cursor-foreground": "#121212",
            "footer-background": "#1c1c1c",
            "footer-key-foreground": "#5fafd7",
            "input-selection-background": "#5fafd7 35%",
            "scrollbar": "#444444",
            "scrollbar-hover": "#626262",
            "scrollbar-active": "#5fafd7",
            "scrollbar-background": "#1c1c1c",
            "scrollbar-background-hover": "#1c1c1c",
            "scrollbar-background-active": "#1c1c1c",
        },
    )
    light = Theme(
        name=LIGHT,
        dark=False,
        primary="#005f87",
        secondary="#005f87",
        accent="#005f87",
        success="#005f00",
        warning="#875f00",
        error="#af0000",
        foreground="#1c1c1c",
        background="#eeeeee",
        surface="#e4e4e4",
        panel="#dadada",
        boost="#dadada",
        variables={
            "border": "#005f87",
            "border-blurred": "#b2b2b2",
            "block-cursor-background": "#005f87",
            "block-cursor-foreground": "#eeeeee",
            "footer-background": "#e4e4e4",
            "footer-key-foreground": "#005f87",
            "input-selection-background": "#005f87 30%",
            "scrollbar": "#b2b2b2",
            "scrollbar-hover": "#8a8a8a",
            "scrollbar-active": "#005f87",
            "scrollbar-background": "#e4e4e4",
            "scrollbar-background-hover": "#e4e4e4",
            "scrollbar-background-active": "#e4e4e4",
        },
    )
    return dark, light
