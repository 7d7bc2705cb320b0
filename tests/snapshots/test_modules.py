"""The pages of the other modules, filled and empty, and the drawer."""

import pytest

from store.errors import DatabaseBusy
from store.values.api_keys import ApiKeyInfo
from tests.harness.consoles import Stage
from tests.snapshots.conftest import Picture
from tests.snapshots.scenes import busy_store, keyed_store, spent_store
from tests.snapshots.steps import fill, opening, typed
from tui.themes import ANSI_DARK, LIGHT


@pytest.mark.parametrize(
    "module", ["playground", "overview", "api-keys", "usage-logs", "drawing-logs", "task-logs", "wallet"]
)
def test_filled(picture: Picture, module: str) -> None:
    """A table or figures within 80 columns, nothing cut at the right."""
    picture(opening(module), store=busy_store())


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_api_keys(picture: Picture, size: tuple[int, int]) -> None:
    """Every state as a chip, spending against its limit as a bar, and the key under the cursor in full."""

    async def steps(stage: Stage) -> None:
        await opening("api-keys")(stage)
        await stage.settle()
        await stage.press(*["down"] * 4)

    picture(steps, store=keyed_store(), size=size)


@pytest.mark.parametrize("size", [(60, 20), (80, 24)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("key", ["enter", "o", "y"])
def test_dialogs_of_an_api_key(picture: Picture, key: str, size: tuple[int, int]) -> None:
    """Every limit in one form; the time that an old secret goes on; the lines of a client."""

    async def steps(stage: Stage) -> None:
        await opening("api-keys")(stage)
        await stage.settle()
        await stage.press(*["down"] * 4, key)

    picture(steps, store=keyed_store(), size=size)


def test_api_keys_that_cannot_be_read(picture: Picture) -> None:
    """The reason, and the key that tries again."""

    async def steps(stage: Stage) -> None:
        async def failing() -> list[ApiKeyInfo]:
            raise DatabaseBusy

        stage.app.account.api_keys = failing  # type: ignore[method-assign]
        await opening("api-keys")(stage)

    picture(steps)


@pytest.mark.parametrize("module", ["overview", "api-keys", "usage-logs", "wallet"])
def test_empty(picture: Picture, module: str) -> None:
    """One sentence that says what would be here, and how it comes to be."""
    picture(opening(module))


def test_drawer(picture: Picture) -> None:
    """Below 100 columns the sidebar lies over the page, with the cursor on the open module."""
    picture("f2")


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)])
def test_wallet_with_every_kind_of_change(picture: Picture, size: tuple[int, int]) -> None:
    """Signed amounts and balances stand below each other, exact to a millionth of a dollar."""
    picture(opening("wallet"), store=spent_store(), size=size)


def test_wallet_details_of_a_call(picture: Picture) -> None:
    picture(opening("wallet"), "down down enter", store=spent_store())


def test_wallet_prices_with_a_filter(picture: Picture) -> None:
    picture(opening("wallet"), "slash", typed("gpt"), store=spent_store())


def test_wallet_export(picture: Picture) -> None:
    """The dialog of an export."""
    picture(opening("wallet"), "e", store=spent_store())


def test_wallet_wrong_code(picture: Picture) -> None:
    """The error stands at the field, with the tries that are left."""
    picture(opening("wallet"), "r", fill("code", "ZZZZZ-ZZZZZ-ZZZZZ-ZZZZZ-ZZZZZ"), "enter", store=spent_store())


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_overview_of_ninety_days(picture: Picture, size: tuple[int, int]) -> None:
    """A bar stands for several days and the bars fill the box; the range that is shown is marked."""
    picture(opening("overview"), "d", store=spent_store(), size=size)


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)])
def test_overview_of_seven_weeks(picture: Picture, size: tuple[int, int]) -> None:
    """Tiles, the chart with its axis and dates, the bars by model and key, and the lists; a short screen scrolls."""
    picture(opening("overview"), store=spent_store(), size=size)


@pytest.mark.parametrize("theme", [LIGHT, ANSI_DARK])
def test_overview_with_the_cursor_on_an_error(picture: Picture, theme: str) -> None:
    picture(opening("overview"), "d end tab tab down", store=spent_store(), theme=theme)
