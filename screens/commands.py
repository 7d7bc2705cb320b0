"""Commands of the palette: tabs, modules, actions and themes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.app import SystemCommand

from screens.console import Console
from screens.settings.page import TABS, SettingsPage
from store.modules import SECTIONS
from tui.themes import THEME_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from textual.screen import Screen

    from tui.host import Host

_SECURITY = (
    ("Generate new System Access Token", "token", "Replaces the present one"),
    ("Change password", "password", "Signs out your other sessions"),
    ("Manage passkeys", "passkeys", "Register, rename, remove"),
    ("Two-factor authentication", "two_factor", "Enable, new codes, disable"),
    ("Show sessions", "sessions", "Where you are signed in"),
    ("Sign out other sessions", "sign_out_others", "Every one but this"),
    ("Show activity", "activity", "What was done to your account"),
    ("Delete account", "delete", "Asks before anything happens"),
)


def commands(app: Host, screen: Screen[object]) -> Iterator[SystemCommand]:
    """Commands for `screen`, without a screenshot, which would write secrets into a file."""
    if isinstance(screen, Console):
        page = screen.query_one(SettingsPage)
        for tab in TABS:
            yield SystemCommand(f"Settings: {tab.label}", f"Show the {tab.label} tab", _to_tab(screen, page, tab.id))
        for title, action, about in _SECURITY:
            yield SystemCommand(title, about, _to_tab(screen, page, "security", action))
        for section in SECTIONS:
            for module in section.modules:
                yield SystemCommand(
                    f"Open {module.label}", f"{section.label}", partial(screen.action_open_module, module.id)
                )
        yield SystemCommand("Operational recommendations", "Five live checks", screen.action_recommendations)
        yield SystemCommand("Lock", "Cover the screen until you prove who you are", app.action_lock)
        yield SystemCommand("Sign out", "End this session", app.action_sign_out)
    for name in THEME_NAMES:
        yield SystemCommand(f"Theme: {name}", "Change the colours", partial(app.action_choose_theme, name))
    yield SystemCommand("Help", "What this is, and its keys", app.action_help)
    yield SystemCommand("Quit", "Leave Gatekey", app.action_quit)


def _to_tab(screen: Console, page: SettingsPage, tab: str, action: str = "") -> Callable[[], object]:
    async def show() -> None:
        # Keys typed behind the command belong to the dialog that it opens.
        with screen.app.hold_input():
            await screen.open_module("settings")
            pane = await page.show_tab(tab)
            if action:
                getattr(pane, f"action_{action}")()

    return lambda: screen.run_worker(show, group="palette", exclusive=True)
