"""The logs: the keys of the table, the filter, the details, and the other kinds."""

from datetime import UTC, timedelta

import pytest
from textual.widgets import OptionList

from screens.console import Console
from screens.modules.log_columns import usage_columns
from screens.modules.log_details import LogDetails
from screens.modules.log_filter_line import FilterLine
from store.errors import DatabaseBusy
from store.sections import PrivacySettings
from store.store import Store
from store.values.billing import ModelPrice
from store.values.usage import Kind, LoggedEntry, UsageEntry
from tests.harness.consoles import console
from tests.harness.log_pages import filter_by, open_log
from tests.harness.slow_accounts import slow_console
from tests.harness.stores import START, add_account, make_store, sign_in
from tests.snapshots.scenes import logged_store
from tui.widgets.footer import KeyFooter

HOSTILE = "m\x1b[31m\u202e[@click=app.quit]x[/]"


def logged(calls: int) -> Store:
    store = make_store()
    account = add_account(store)
    with store.database.write() as tx:
        for number in range(calls):
            store.usage.append(tx, account.id, UsageEntry(kind=Kind.CONSUMPTION, model=f"model-{number}"))
    return store


# -- the table -----------------------------------------------------------------------------------------------------


async def test_home_end_and_the_page_keys() -> None:
    async with console(logged(300)) as stage:
        table = await open_log(stage)
        assert 20 < table.row_count < 300
        await stage.press("pagedown")
        page = table.cursor_row
        assert 10 < page < 24
        await stage.press("pagedown")
        assert table.cursor_row > page
        await stage.press("pageup", "pageup")
        assert table.cursor_row == 0
        await stage.press("j", "down", "k")
        assert table.cursor_row == 1
        await stage.press("G")
        assert stage.says("model-0 ")
        await stage.press("g")
        assert stage.says("model-299")
        assert table.cursor_row == 0


async def test_end_reaches_the_oldest_call_at_once() -> None:
    async with console(logged(900)) as stage:
        table = await open_log(stage)
        await stage.press("end")
        assert table.cursor_row == table.row_count - 1
        assert table.row_count < 300
        assert stage.says("model-0 ")
        assert stage.says("newer above")


async def test_end_in_an_empty_log_does_nothing() -> None:
    async with console(logged(0)) as stage:
        await open_log(stage)
        await stage.press("end", "home", "enter", "y")
        assert stage.says("No call has been made yet.")
        hints = stage.app.screen.query_one(KeyFooter).hints
        assert [hint.enabled for hint in hints if "row" in hint.action] == [False, False]


async def test_the_columns_of_a_wide_and_a_narrow_terminal() -> None:
    async with console(logged_store(), size=(160, 40)) as stage:
        await open_log(stage)
        assert stage.says("Time, UTC Kind Model In Out Cost, USD Key Client IP")
        assert stage.says("not recorded")
        assert stage.says("✗ 503")
    async with console(logged_store(), size=(60, 20)) as stage:
        await open_log(stage)
        assert stage.says("Time, UTC Model Cost, USD Status")
        assert "Client IP" not in stage.text()


async def test_nothing_is_claimed_before_the_answer() -> None:
    async with slow_console("usage_page") as (stage, account):
        screen = stage.app.screen
        assert isinstance(screen, Console)
        screen.action_open_module("usage-logs")
        await stage.until(lambda: "usage_page" in account.asked)
        await stage.until(lambda: "Reading…" in stage.text())
        assert "No call has been made yet." not in stage.text()
        account.answers.set()
        await stage.settle()
        assert stage.says("No call has been made yet.")


async def test_a_failure_is_told_and_f5_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with console(logged(5)) as stage:
        with monkeypatch.context() as patch:

            def busy(*_: object, **__: object) -> None:
                raise DatabaseBusy

            patch.setattr(stage.store.usage, "page", busy)
            table = await open_log(stage)
            assert table.has_failed
            assert stage.says("Refresh reads it again.")
            assert "▁" not in stage.text()
        await stage.press("f5")
        assert stage.says("model-4")


# -- the filter ----------------------------------------------------------------------------------------------------


async def test_a_filter_shows_what_matches_and_escape_shows_all_again() -> None:
    async with console(logged_store()) as stage:
        table = await open_log(stage)
        await filter_by(stage, "model:claude status:ok")
        assert table.has_focus
        assert {row.entry.model for row in table.rows} == {"claude-sonnet-4-5"}  # type: ignore[attr-defined]
        assert stage.says("model:claude status:ok")
        await stage.press("escape")
        assert len({row.entry.model for row in table.rows}) > 3  # type: ignore[attr-defined]
        assert not stage.app.screen.query_one(FilterLine).display


async def test_a_filter_without_a_match_says_so() -> None:
    async with console(logged_store()) as stage:
        await open_log(stage)
        await filter_by(stage, "model:nothing-like-it")
        assert stage.says("No call matches the filter.")


async def test_a_fault_is_shown_below_its_place_and_the_rows_stay() -> None:
    async with console(logged_store()) as stage:
        table = await open_log(stage)
        rows = list(table.rows)
        await filter_by(stage, "model:claude since:2x")
        lines = stage.text().split("\n")
        row = next(at for at, line in enumerate(lines) if "since:2x" in line)
        assert lines[row].index("2x") == lines[row + 1].index("^^")
        assert "Enter a date" in lines[row + 2]
        assert isinstance(stage.app.focused, FilterLine)
        assert table.rows == rows
        await stage.press("backspace")
        assert "^^" not in stage.text()
        await stage.press("escape")
        assert table.has_focus
        assert "since:" not in stage.text()


async def test_escape_in_the_line_keeps_the_filter_that_is_applied() -> None:
    async with console(logged_store()) as stage:
        table = await open_log(stage)
        await filter_by(stage, "kind:error")
        rows = list(table.rows)
        await stage.press("slash")
        await stage.type(" model:x")
        await stage.press("escape")
        assert stage.app.screen.query_one(FilterLine).value == "kind:error"
        assert (table.has_focus, table.rows) == (True, rows)


async def test_the_line_completes_what_occurs_in_the_log() -> None:
    async with console(logged_store()) as stage:
        await open_log(stage)
        await stage.press("slash")
        await stage.type("status:ok model:cl")
        assert stage.says("model:claude-sonnet-4-5")
        await stage.press("right")
        line = stage.app.focused
        assert isinstance(line, FilterLine)
        assert line.value == "status:ok model:claude-sonnet-4-5"


async def test_times_are_in_the_zone_of_the_person(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    store = make_store()
    account = add_account(store)
    store.usage.record(account.id, UsageEntry(Kind.CONSUMPTION, "before"))
    store.context.clock.advance(hours=3)  # type: ignore[attr-defined] # the still clock of the tests
    store.usage.record(account.id, UsageEntry(Kind.CONSUMPTION, "after"))
    now = store.context.now()
    async with console(store) as stage:
        await open_log(stage)
        assert stage.says("Time, JST")
        assert stage.says(f"{now + timedelta(hours=9):%m-%d %H:%M}")
        await filter_by(stage, f"since:{now + timedelta(hours=8):%Y-%m-%dT%H:%M}")
        assert stage.says("after")
        assert "before" not in stage.text()


# -- one entry -----------------------------------------------------------------------------------------------------


async def test_the_details_add_up_to_what_was_charged() -> None:
    price = ModelPrice("m", 3_000_000, 15_000_000, per_request=10, cached_input_per_million=300_000)
    entry = UsageEntry(
        Kind.CONSUMPTION,
        "m",
        "notebook",
        "req-1",
        prompt_tokens=1801,
        cached_tokens=1000,
        completion_tokens=7,
        cost_micro_usd=price.cost(1801, 7, 1000),
        price=price,
    )
    store = make_store()
    store.usage.record(add_account(store).id, entry)
    async with console(store, size=(100, 34)) as stage:
        await open_log(stage)
        await stage.press("enter")
        assert isinstance(stage.app.screen, LogDetails)
        assert stage.says("Cost, in 801 × $3.00 per million = $0.002403")
        assert stage.says("of it cached 1,000 × $0.30 per million = $0.000300")
        assert stage.says("Cost, out 7 × $15.00 per million = $0.000105")
        assert stage.says("Cost, request 1 × $0.00001 = $0.000010")
        assert stage.says("Charged $0.002818")
        assert stage.says("Client IP not recorded")


async def test_a_task_without_a_price_is_said_to_be_free() -> None:
    store = make_store()
    account = add_account(store)
    for model, status in (("file", "uploaded"), ("batch-cancel", "cancelling"), ("batch", "completed")):
        store.usage.record(account.id, UsageEntry(Kind.TASK, model, "notebook", "req-1", status=status))
    async with console(store, size=(100, 34)) as stage:
        await open_log(stage)
        for is_free in (False, True, True):
            await stage.press("enter")
            assert isinstance(stage.app.screen, LogDetails)
            assert stage.says("Uploads, deletions and cancellations cost nothing.") is is_free
            assert stage.says("an older version logged the call") is not is_free
            await stage.press("escape", "down")


async def test_a_long_value_goes_on_below_its_beginning_at_every_size() -> None:
    sentence = "The model server could not be reached. Try again later."
    async with console(logged_store(), size=(60, 30)) as stage:
        await open_log(stage)
        await filter_by(stage, "kind:error")
        await stage.press("enter")
        lines = stage.text().splitlines()
        at = next(number for number, line in enumerate(lines) if "could not be reached" in line)
        assert lines[at + 1].index("Try again later.") == lines[at].index("The model server")
        await stage.pilot.resize_terminal(100, 30)
        await stage.settle()
        assert sentence in stage.text(), "a line kept the end that it had in a narrow terminal"


@pytest.mark.parametrize("columns", [60, 80, 120])
async def test_the_status_of_a_task_is_not_cut(columns: int) -> None:
    async with console(logged_store(), size=(columns, 30)) as stage:
        await open_log(stage, "task-logs")
        assert "▲ in_progress" in stage.text()


async def test_each_value_is_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TMUX", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    async with console(logged_store(), size=(100, 34)) as stage:
        await open_log(stage)
        await filter_by(stage, "kind:error")
        await stage.press("enter")
        assert stage.says("Why The model server could not be reached.")
        copied = []
        for _ in range(stage.app.screen.query_one(OptionList).option_count):
            await stage.press("y")
            copied.append(stage.app.clipboard)
            await stage.press("down")
        assert {"503", "The model server could not be reached. Try again later.", "10.0.0.4", "notebook"} <= set(copied)
        await stage.press("a")
        assert "Request id    req_" in stage.app.clipboard
        await stage.press("escape", "y")
        assert "503" in stage.app.clipboard


async def test_drawing_and_task_logs_have_their_own_columns() -> None:
    async with console(logged_store(), size=(120, 40)) as stage:
        await open_log(stage, "drawing-logs")
        assert stage.says("Images Size Cost, USD")
        assert stage.says("2 1024x1024")
        await stage.press("enter")
        assert stage.says("Images 2 images, 1024x1024")
        assert stage.says("Cost, image 2 × $0.04 = $0.080000")
        await stage.press("escape")
        await open_log(stage, "task-logs")
        assert stage.says("279/400")
        await stage.press("enter")
        assert stage.says("Progress 279 of 400")
        assert stage.says(f"Task id batch_{279:024x}")


async def test_hostile_names_are_drawn_and_copied_harmless(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TMUX", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    store = make_store()
    account = add_account(store)
    privacy = store.settings.load(sign_in(store), PrivacySettings)
    store.settings.save(sign_in(store), PrivacySettings(True), privacy.version)
    entry = UsageEntry(Kind.ERROR, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, image_size=HOSTILE)
    store.usage.record(account.id, entry)
    async with console(store, size=(120, 40)) as stage:
        await open_log(stage)
        await stage.press("y")
        assert "\x1b" not in stage.app.clipboard
        await stage.press("slash")
        await stage.type("model:m")
        await stage.press("escape", "enter", "a")
        assert "\x1b" not in stage.text() + stage.app.clipboard
        assert "\u202e" not in stage.text() + stage.app.clipboard
        assert "[@click=app.quit]" in stage.text()


async def test_suggestions_stand_below_what_is_typed_also_in_a_second_line() -> None:
    async with console(logged(30), size=(60, 24)) as stage:
        await open_log(stage)
        await stage.press("slash", *"model:")
        line, *hint = stage.text().splitlines()[1:4]
        assert line.startswith("  model:")
        assert [row.index("model:") for row in hint] == [2, 2]


@pytest.mark.parametrize(
    ("tokens", "shown"),
    [
        (0, "0"),
        (99_999, "99,999"),
        (100_000, "100.0k"),
        (999_949, "999.9k"),
        (1_000_000, "1.0M"),
        (999_949_999, "999.9M"),
    ],
)
def test_a_number_of_tokens_is_never_cut_off(tokens: int, shown: str) -> None:
    row = LoggedEntry(1, START, UsageEntry(Kind.CONSUMPTION, "m", prompt_tokens=tokens))
    (column,) = [column for column in usage_columns(UTC, START) if column.label == "In"]
    assert column.cell(row).plain == shown
    assert len(shown) <= column.narrowest


async def test_tab_completes_a_word_of_the_filter() -> None:
    async with console(logged_store(), size=(120, 40)) as stage:
        table = await open_log(stage)
        await stage.press("slash")
        assert not stage.says("tab Complete")
        await stage.type("sta")
        assert stage.says("enter Apply tab Complete")
        line = stage.app.screen.query_one(FilterLine)
        await stage.press("tab")
        assert line.has_focus
        assert line.value == "status:"
        await stage.type("o")
        await stage.press("tab", "enter")
        assert line.value == "status:ok"
        assert table.has_focus
        await stage.press("slash", "tab")
        assert table.has_focus


async def test_a_list_in_a_dialog_promises_one_pair_of_keys_to_move() -> None:
    async with console(logged_store()) as stage:
        await open_log(stage)
        await stage.press("enter")
        assert "a Copy all  ↑↓ Move  esc Close" in stage.text()
