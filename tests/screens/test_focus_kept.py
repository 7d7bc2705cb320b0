"""A control that disables itself keeps the focus: the key that follows does nothing else."""

from textual.widgets import Button

from screens.settings.page import SettingsPage
from tests.harness.consoles import Stage, console
from tests.harness.full_account import filled, live
from tests.harness.hostile_text import PAYLOADS
from tests.harness.screen_walk import NAME, Outside, Walk, on_stage
from tests.harness.slow_accounts import slow_console
from tui.themes import ANSI_LIGHT
from tui.widgets.disabled_focus import KeepFocusWhenDisabled
from tui.widgets.toggle import Toggle


class FocusWalk(Walk):
    """Disables every control on the way while it has the focus."""

    def __init__(self, stage: Stage, account: Outside) -> None:
        super().__init__(stage, account)
        self.tried: set[str] = set()
        self.lost: list[str] = []
        self.other: list[str] = []

    def look(self, where: str) -> None:
        screen = self.stage.app.screen
        before = screen.focused
        for control in screen.focus_chain:
            if not isinstance(control, Button | Toggle):
                continue
            if not isinstance(control, KeepFocusWhenDisabled):
                self.other.append(f"{where}: {control!r}")
            screen.set_focus(control, scroll_visible=False)
            was = control.disabled
            control.disabled = True
            if screen.focused is not control or control not in screen.focus_chain:
                self.lost.append(f"{where}: {control!r}")
            control.disabled = was
            self.tried.add(f"{type(screen).__name__} {control.id or control.name or control.classes}")
        screen.set_focus(before, scroll_visible=False)


async def test_every_button_and_switch_on_every_tab_and_dialog_keeps_the_focus() -> None:
    store, clock = filled()
    token = live(store, clock, NAME).person.token
    account = Outside(store, token, PAYLOADS[0])
    async with on_stage(store, clock, account, theme=ANSI_LIGHT) as stage:
        walk = FocusWalk(stage, account)
        await walk.everything()
    assert len(walk.tried) > 80
    assert (walk.lost, walk.other) == ([], [])
    assert walk.seen.invisible == []


async def test_enter_twice_on_send_test_sends_and_switches_nothing() -> None:
    async with slow_console("send_test") as (stage, account):
        await stage.settle()
        await stage.press("3")
        button = stage.app.screen.query_one("#send-test-email", Button)
        switch = stage.app.screen.query_one("#channel-email", Toggle)
        was = switch.value
        button.focus()
        await stage.pilot.press("enter")
        await stage.until(lambda: account.asked and button.disabled)
        await stage.pilot.press("enter", "space", "enter")
        assert switch.value is was
        assert stage.app.focused is button
        await account.answer(stage)
        assert not button.disabled
        assert account.asked == ["send_test"]
        assert stage.app.focused is button


async def test_enter_twice_on_save_saves_and_resets_nothing(stage: Stage) -> None:
    await stage.press("5", "tab", "space")
    save = stage.app.screen.query_one("#privacy #save", Button)
    save.focus()
    await stage.press("enter")
    assert stage.says("Saved.")
    assert save.disabled
    assert stage.app.focused is save
    await stage.press("enter")
    assert stage.says("Saved.")
    await stage.press("tab")
    assert stage.app.focused is stage.app.screen.query_one("#privacy #reset")
    await stage.press("shift+tab")
    assert stage.app.focused is stage.app.screen.query_one("#record-client-ip"), "a disabled control is passed over"


async def test_sign_out_others_keeps_the_focus_when_there_are_none_left(stage: Stage) -> None:
    stage.store.sign_in.with_password("alice", "correct horse battery staple", source="pts/9")
    await stage.press("f5")
    button = stage.app.screen.query_one("#others-action", Button)
    assert not button.disabled
    button.focus()
    await stage.press("enter", "y")
    assert stage.says("1 session was signed out.")
    assert button.disabled
    assert stage.app.focused is button
    await stage.press("enter")
    assert stage.app.focused is button


async def test_a_switch_the_administrator_took_away_is_not_switched() -> None:
    async with console(press="6") as stage:
        switch = stage.app.screen.query_one("#module-wallet", Toggle)
        switch.focus()
        stage.store.site.set("sidebar.hidden_modules", "wallet")
        await stage.press("f5")
        assert switch.disabled
        assert stage.app.focused is switch
        was = switch.value
        await stage.press("space", "enter")
        assert switch.value is was
        assert stage.app.screen.query_one(SettingsPage).unsaved == []
