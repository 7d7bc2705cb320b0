"""Steps on the pages of the logs."""

from screens.modules.log_filter_line import FilterLine
from screens.modules.logs import LogPage
from tests.harness.console_steps import open_module
from tests.harness.consoles import Stage
from tui.widgets.keyset_table import KeysetTable


async def open_log(stage: Stage, module: str = "usage-logs") -> KeysetTable[object]:
    """Open a log; returns its table."""
    await open_module(stage, module)
    table = stage.app.screen.query_one(f"#{module}-page", LogPage).query_one(KeysetTable)
    assert table.has_focus
    return table


async def filter_by(stage: Stage, text: str) -> None:
    """Show what matches `text`."""
    await stage.press("slash")
    assert isinstance(stage.app.focused, FilterLine)
    stage.app.focused.value = text
    await stage.press("enter")
