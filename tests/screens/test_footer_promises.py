"""The footer of every screen and dialog: each key it shows is pressed, and does what it says."""

from typing import Any

import pytest
from textual.keys import _character_to_key
from textual.widgets import Input

from screens.bind_provider import ProviderLogin
from screens.help import Help
from screens.settings.change_password import ChangePassword
from screens.settings.two_factor_setup import TwoFactorSetup
from tests.harness.consoles import Stage, console
from tests.harness.drawers import PLACE
from tests.harness.full_account import filled, live
from tests.harness.hostile_text import PAYLOADS
from tests.harness.screen_walk import NAME, Outside, Walk, every_screen, on_stage
from tests.harness.stores import make_store
from tui.themes import ANSI_DARK
from tui.widgets.footer import KeyFooter
from tui.widgets.key_hints import KeyHint

ELSEWHERE = {"CreateAccount", "ProviderLogin"}
"""Screens with a test of their own below."""


def shown_hints(stage: Stage) -> list[KeyHint]:
    """The readable text of the footer."""
    footers = [footer for screen in stage.app.screen_stack for footer in screen.query(KeyFooter)]
    return [hint for _, hint in footers[-1]._places] if footers else []


def key_of(shown: str) -> str:
    """The name of a key by what the line writes for it."""
    if shown.startswith("^"):
        return f"ctrl+{shown[1:]}"
    return _character_to_key(shown) if len(shown) == 1 else {"esc": "escape", "↑↓": "up"}.get(shown, shown)


async def press_and_note(stage: Stage, key: str) -> list[tuple[str, bool | None]]:
    """Press a key as a person does; which actions it would have run, and whether they were enabled."""
    app, ran = stage.app, []
    real = app.run_action

    async def note(action: Any, default_namespace: Any = None, namespaces: Any = None) -> bool:
        state = app._check_action_state(action, default_namespace or app)
        ran.append((str(action), state))
        # A key of an action that is off goes on to the next binding.
        return bool(state)

    app.run_action = note  # type: ignore[method-assign]
    try:
        await stage.pilot.press(key)
        await stage.pilot.pause()
    finally:
        app.run_action = real  # type: ignore[method-assign]
    return ran


Promise = tuple[type[object], str | None, KeyHint]
"""A screen, the id of the widget in focus there, and what the footer says."""


async def broken_promises(stage: Stage, kept: set[Promise] | None = None) -> list[str]:
    """The promises that are not kept. Those in `kept` are not tried again, and the others are added to it."""
    broken = []
    kept = set() if kept is None else kept
    for hint in shown_hints(stage):
        focused = stage.app.focused
        promise = (type(stage.app.screen), None if focused is None else focused.id, hint)
        if not hint.enabled or promise in kept:
            continue
        kept.add(promise)
        shown = [key_of(part) for part in hint.key.split()] if len(hint.presses) == 1 else []
        for key, action in [*((key, hint.action) for key in shown), *hint.presses]:
            ran = await press_and_note(stage, key)
            # In a list the arrows move its own line.
            if (action, True) not in ran and not (action.startswith("walk(") and ran):
                broken.append(f"{type(stage.app.screen).__name__}: {key} {hint.description}: {ran}")
    return broken


class FooterWalk(Walk):
    """Presses on the way all that is promised."""

    def __init__(self, stage: Stage, account: Outside) -> None:
        super().__init__(stage, account)
        self.broken: list[str] = []
        self.kept: set[Promise] = set()
        self.without_help: list[str] = []
        self.pressed: set[str] = set()

    async def go(self, where: str, *keys: str) -> None:
        await super().go(where, *keys)
        await self.press_all(where)

    async def click(self, where: str, selector: str) -> None:
        await super().click(where, selector)
        await self.press_all(where)

    async def passkey_page(self, where: str) -> None:
        await super().passkey_page(where)
        await self.press_all(where)

    async def press_all(self, where: str) -> None:
        screen = self.stage.app.screen
        self.pressed.add(type(screen).__name__)
        if not isinstance(screen, Help) and not any(hint.action.endswith("help") for hint in shown_hints(self.stage)):
            self.without_help.append(where)
        self.broken += await broken_promises(self.stage, self.kept)
        assert self.stage.app.screen is screen


async def test_every_key_at_the_bottom_does_what_it_says() -> None:
    store, clock = filled()
    token = live(store, clock, NAME).person.token
    over_ssh = Outside(store, token, PAYLOADS[0], fetch_place=PLACE)
    async with on_stage(store, clock, over_ssh, theme=ANSI_DARK) as stage:
        first = FooterWalk(stage, over_ssh)
        await first.drawer()
    account = Outside(store, token, PAYLOADS[0])
    # A text in the colour of its ground happens where a terminal's 16 colours have no shades between.
    async with on_stage(store, clock, account, theme=ANSI_DARK) as stage:
        walk = FooterWalk(stage, account)
        await walk.everything()
    assert (first.broken, first.without_help, walk.broken, walk.without_help) == ([], [], [], [])
    assert first.seen.invisible + walk.seen.invisible == []
    pressed = first.pressed | walk.pressed
    assert {screen.__name__ for screen in every_screen()} - pressed - ELSEWHERE == set()


@pytest.mark.parametrize("size", [(80, 24), (60, 20)])
async def test_the_wizard_helps_with_a_question_mark_in_each_step(size: tuple[int, int]) -> None:
    async with console(size=size, press="f") as stage:
        wizard = stage.app.screen
        assert isinstance(wizard, TwoFactorSetup)
        for step in range(3):
            stage.app.screen.step = step  # type: ignore[attr-defined]
            await stage.settle()
            if isinstance(stage.app.focused, Input):
                await stage.press("question_mark")
                assert stage.app.screen is wizard, "it is typed where one types"
                await stage.press("f1")
            else:
                await stage.press("question_mark")
            assert isinstance(stage.app.screen, Help)
            assert stage.says("Three steps. 1: scan the QR code")
            await stage.press("escape")
            assert stage.app.screen is wizard


async def test_a_question_mark_beside_the_fields_of_a_dialog_helps() -> None:
    async with console(press="p") as stage:
        assert isinstance(stage.app.screen, ChangePassword)
        await stage.focus("#cancel")
        line = stage.text().split("\n")[-1]
        assert all(hint in line for hint in ("^v Show", "esc Cancel", "^p Commands", "? Help", "^q Quit")), line
        await stage.press("question_mark")
        assert isinstance(stage.app.screen, Help)
        await stage.press("question_mark")
        assert isinstance(stage.app.screen, ChangePassword)
        await stage.press("escape")
        assert "1-6 Tab" in stage.text().split("\n")[-1]


async def test_before_anybody_is_signed_in() -> None:
    async with console(signed_in=False) as stage:
        assert await broken_promises(stage) == []
        await stage.press("f1")
        assert isinstance(stage.app.screen, Help)


async def test_on_a_first_run() -> None:
    async with console(make_store(), signed_in=False) as stage:
        assert shown_hints(stage)
        assert await broken_promises(stage) == []


async def test_while_a_provider_is_waited_for() -> None:
    store, clock = filled()
    account = Outside(store, live(store, clock, NAME).person.token, PAYLOADS[0])
    async with on_stage(store, clock, account) as stage:
        await stage.app.push_screen(ProviderLogin(await account.begin_device_login("slug")))
        await stage.until(lambda: any("Cancel" in hint.description for hint in shown_hints(stage)))
        assert await broken_promises(stage) == []
