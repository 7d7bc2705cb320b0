"""A start does once what Textual would do two or three times, and the first keys go before the data."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from textual.css import stylesheet
from textual.widgets import Input

from screens.app import GatekeyApp
from screens.console import Console
from screens.sign_in import SignIn
from screens.title_bar import TitleBar
from tests.harness.consoles import SIZE, Stage, console
from tests.harness.stores import PASSWORD, add_account, make_store, sign_in, still_clock
from tui.idle_loop import until_idle
from tui.keymap import ConsoleConfig
from tui.local_account import LocalAccount
from tui.store_location import Options
from tui.style_sheets import STYLES


async def test_the_styles_were_parsed_once_and_again_for_other_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: Counter[str] = Counter()
    parse: Callable[..., Any] = getattr(stylesheet, "parse")  # noqa: B009 - it is not exported

    def counting(scope: str, css: str, read_from: tuple[str, str], *rest: Any, **options: Any) -> Any:
        parsed[read_from[0]] += 1
        return parse(scope, css, read_from, *rest, **options)

    monkeypatch.setattr(stylesheet, "parse", counting)
    ours = str(STYLES / "console.tcss")
    async with console(theme="gatekey-light") as stage:
        assert parsed[ours] == 1
        light = stage.app.screen.styles.background
        stage.app.show_theme("gatekey-dark")
        await stage.settle()
        assert parsed[ours] > 1
        assert stage.app.screen.styles.background.brightness < light.brightness
        assert stage.app.has_class("-dark-mode")


@pytest.mark.parametrize(("width", "class_name"), [(99, "-narrow"), (100, "-wide")])
async def test_the_console_was_laid_out_for_its_width_from_the_start(
    monkeypatch: pytest.MonkeyPatch, width: int, class_name: str
) -> None:
    widths: list[frozenset[str]] = []
    arrange = Console.arrange

    def noting(self: Console, *arguments: Any, **options: Any) -> Any:
        if list(self.query("#frame")):
            widths.append(frozenset(self.classes) & {"-narrow", "-wide"})
        return arrange(self, *arguments, **options)

    monkeypatch.setattr(Console, "arrange", noting)
    async with console(size=(width, 24)) as stage:
        assert set(widths) == {frozenset({class_name})}
        await stage.pilot.resize_terminal(199 - width, 24)
        await stage.settle()
        assert frozenset({"-narrow" if class_name == "-wide" else "-wide"}) in widths


async def test_a_console_that_comes_back_is_styled_again() -> None:
    async with console(press="f1") as stage:
        covered = stage.app.screen_stack[-2]
        stage.app.show_theme("gatekey-light")
        await stage.press("escape")
        assert stage.app.screen is covered
        assert covered.styles.background.brightness > 0.5


async def test_the_first_key_was_answered_before_the_data_was_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    store = make_store()
    add_account(store, "alice")
    opened_at: list[str] = []
    account = LocalAccount(Options(), token=sign_in(store))
    app = GatekeyApp(account, ConsoleConfig())

    def open_now() -> bool:
        opened_at.append(str(app.focused and app.focused.id))
        account._opened = store
        return False

    monkeypatch.setattr(account, "_open", open_now)
    monkeypatch.setattr("screens.console.IDLE_TIMEOUT_S", 60.0)  # a loop that is held up for a second is not given up
    async with app.run_test() as pilot:
        while not isinstance(app.screen, Console) or not app.screen.query("#settings-tabs"):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)
        assert not account.is_open
        await pilot.press("3")
        assert app.screen.query("#quota-warning-threshold")
        while not opened_at:
            await pilot.pause()
        # The test's way out takes the widgets away before it ends the workers, as no end of the console does: what is
        # still being read would be shown on a header that is gone.
        clock = still_clock(store)
        await Stage(app, pilot, store, clock).settle()
        assert app.screen.query_one(TitleBar).summary is not None


# -- waiting for the loop ---------------------------------------------------------------------------------------------


async def test_an_idle_loop_is_not_waited_for() -> None:
    asked = time.monotonic()
    await until_idle(0.03, 60)
    assert time.monotonic() - asked < 10


async def test_a_loop_at_work_is_waited_for() -> None:
    works = True

    async def work() -> None:
        nonlocal works
        for _ in range(5):
            time.sleep(0.05)  # noqa: ASYNC251 - as a layout does
            await asyncio.sleep(0)
        works = False

    task = asyncio.create_task(work())
    await until_idle(0.03, 60)
    assert not works
    await task


async def test_a_loop_that_never_rests_is_not_waited_for_for_ever() -> None:
    stopped = False

    async def work() -> None:
        while not stopped:
            time.sleep(0.03)  # noqa: ASYNC251 - as a layout does
            await asyncio.sleep(0)

    task = asyncio.create_task(work())
    await until_idle(0.5, 0.2)
    stopped = True
    await task


@pytest.mark.parametrize("is_signed_in", [True, False])
async def test_a_second_start_while_the_data_opens_fills_the_page(
    monkeypatch: pytest.MonkeyPatch, is_signed_in: bool
) -> None:
    """A console that was forked goes on with a start that its parent began, and begins its own."""
    store = make_store()
    add_account(store, "alice")
    began, may_open = threading.Event(), threading.Event()
    account = LocalAccount(Options(), token=sign_in(store) if is_signed_in else "")
    app = GatekeyApp(account, ConsoleConfig())

    def open_slowly() -> bool:
        account._opened = store
        began.set()
        assert may_open.wait(60)
        return False

    monkeypatch.setattr(account, "_is_absent", False)
    monkeypatch.setattr(account, "_open", open_slowly)
    async with app.run_test(size=SIZE) as pilot:
        stage = Stage(app, pilot, store, still_clock(store))
        await stage.until(began.is_set)
        if is_signed_in:
            assert isinstance(app.screen, Console)
            app.screen.start(is_drawn=True)
        else:
            assert isinstance(app.screen, SignIn)
            app.screen._start_opening()
            app.screen.query_one("#username", Input).value = "alice"
            app.screen.query_one("#password", Input).value = PASSWORD
            await pilot.press("enter")
        await pilot.pause()
        may_open.set()
        await stage.until(lambda: any(bar.summary for bar in app.screen.query(TitleBar)))
        # The row of the password, as it is drawn.
        await stage.until(lambda: any("Password " in line and "…" not in line for line in stage.text().splitlines()))
