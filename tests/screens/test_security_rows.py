"""The rows of the Security tab: their states, whole in the panel; every act is said; stale sentences go."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from textual.content import Content
from textual.widgets import Button, Static

from screens.account_modal import Notice
from screens.settings.security import SecurityPane
from screens.settings.security_rows import ROWS
from store.errors import InvalidToken, WrongCredentials
from store.store import Store
from tests.harness.console_steps import enable_two_factor
from tests.harness.consoles import PASSWORD, Stage, console
from tests.harness.drawers import PLACE
from tests.harness.stores import sign_in, store_with_account
from tests.snapshots.scenes import passkey_store, used_store
from tui.local_account import LocalAccount
from tui.widgets.confirm import Confirm
from tui.widgets.context_panel import ContextPanel
from tui.widgets.field import Field

SIZES = [(60, 20), (60, 50), (80, 24), (100, 34), (120, 40), (160, 50), (200, 50)]


def attacked_store(failures: int = 6) -> Store:
    store = store_with_account()
    for _ in range(failures):
        with pytest.raises(WrongCredentials):
            store.sign_in.with_password("alice", "wrong", source="ssh 192.0.2.7")
        store.accounts.reset_factors("alice", actor="test")
    return store


async def enrich(stage: Stage) -> None:
    """Give every row its longest state."""
    store, account = stage.store, stage.app.account
    assert isinstance(account, LocalAccount)
    store.access_token.generate(account._token)
    store.sign_in.with_password("alice", PASSWORD, source="pts/9")
    enable_two_factor(store, account._token)
    stage.clock.advance(minutes=50)
    stage.app.screen.query_one(SecurityPane).reload()
    await stage.settle()


def button(stage: Stage, name: str) -> Button:
    return stage.app.screen.query_one(f"#{name}-action", Button)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("make", [passkey_store, used_store, attacked_store])
async def test_no_row_overlaps_or_loses_a_button(make: Callable[[], Store], size: tuple[int, int]) -> None:
    async with console(make(), size=size) as stage:
        if make is passkey_store:
            await enrich(stage)
        pane = stage.app.screen.query_one(SecurityPane)
        for row in pane.query(".security-row").results(Field):
            buttons = [each for each in row.query(Button) if each.display]
            state = row.query_one(Static)
            assert all(row.region.contains_region(each.region) for each in (state, *buttons)), row.id
            assert all(each.content_region.width == each.get_content_width(row.size, row.size) for each in buttons)
            left = [*(each.region for each in sorted(buttons, key=lambda each: each.region.x))]
            assert state.region.right <= left[0].x if left else True
            assert all(one.right < two.x for one, two in pairwise(left))
            assert state.region.width >= 12, row.id


@pytest.mark.parametrize("make", [passkey_store, used_store, attacked_store])
@pytest.mark.parametrize("size", [(120, 40), (140, 40)])
async def test_the_panel_tells_of_each_row_in_full(make: Callable[[], Store], size: tuple[int, int]) -> None:
    async with console(make(), size=size, fetch_place=PLACE) as stage:
        if make is passkey_store:
            await enrich(stage)
        panel = stage.app.screen.query_one(ContextPanel)
        for name in ROWS:
            shown = [each for each in stage.app.screen.query_one(f"#{name}-row").query(Button) if each.display]
            if not shown:
                continue
            shown[-1].focus()
            await stage.settle()
            told = panel.render()
            assert isinstance(told, Content)
            needed = len(told.wrap(panel.content_size.width))
            assert needed <= panel.content_size.height, name


async def test_the_panel_tells_the_last_change() -> None:
    store = store_with_account()
    store.context.clock.advance(days=40)  # type: ignore[attr-defined] # the still clock of the tests
    async with console(store, size=(120, 40)) as stage:
        button(stage, "password").focus()
        await stage.settle()
        told = stage.app.screen.query_one(ContextPanel).about
        assert told.startswith("Last changed 40 days ago, on 2026-11-23 12:00 UTC.")


async def test_failed_sign_ins_are_told_until_a_day_has_passed() -> None:
    async with console(attacked_store()) as stage:
        assert stage.says("✗ 6 failed sign-ins since yesterday")
    async with console(attacked_store(1)) as stage:
        assert stage.says("✗ 1 failed sign-in since yesterday")
    store = attacked_store()
    store.context.clock.advance(days=2)  # type: ignore[attr-defined] # the still clock of the tests
    async with console(store) as stage:
        assert stage.says("● no failed sign-ins since yesterday")


async def test_the_token_is_revoked_after_a_question() -> None:
    store = store_with_account()
    token = store.access_token.generate(sign_in(store)).token
    async with console(store) as stage:
        assert button(stage, "revoke-token").display
        await stage.press("v")
        assert isinstance(stage.app.screen, Confirm)
        await stage.press("enter")
        assert store.access_token.authenticate(token).name == "alice", "the safe button has the focus"
        await stage.press("v", "y")
        assert stage.says("The token was revoked.")
        assert stage.says("○ none yet")
        assert not button(stage, "revoke-token").display
        with pytest.raises(InvalidToken):
            store.access_token.authenticate(token)


async def test_revoking_needs_a_fresh_proof() -> None:
    store = store_with_account()
    store.access_token.generate(sign_in(store))
    async with console(store) as stage:
        stage.clock.advance(minutes=6)
        await stage.press("v", "y")
        assert stage.says("Confirm it is you")
        await stage.fill("password", PASSWORD)
        await stage.press("enter")
        assert stage.says("The token was revoked.")


async def test_without_a_token_there_is_none_to_revoke_and_the_sentence_goes(stage: Stage) -> None:
    assert not button(stage, "revoke-token").display
    await stage.press("v")
    assert stage.says("There is no token to revoke.")
    await stage.press("o")
    assert stage.says("No other sessions.")
    assert not stage.says("There is no token to revoke.")
    await stage.press("s", "escape")
    assert not str(stage.app.screen.query_one("#security").query_one(Notice).content)


async def test_where_files_are_off_the_export_says_so() -> None:
    async with console(no_files=True) as stage:
        assert not button(stage, "export").display
        assert stage.says("Saving to a file is off here.")
        await stage.press("e")
        assert str(stage.app.screen.query_one("#security").query_one(Notice).content) == "Saving to a file is off here."


async def test_a_changed_password_is_said(stage: Stage) -> None:
    await stage.press("p")
    for control, text in (
        ("original-password", PASSWORD),
        ("new-password", "quiet harbour lantern sky"),
        ("confirmation", "quiet harbour lantern sky"),
    ):
        await stage.fill(control, text)
    await stage.click("#change")
    assert stage.says("The password was changed.")
