"""The steps of a wizard are named whole, or by a shorter name, and never cut."""

import pytest

from tests.unit.tui.widgets.bare_console import Stage, running
from tui.widgets.step_rail import Step, StepRail

STEPS = (
    Step("Scan QR Code", "Scan"),
    Step("Save Backup Recovery Codes", "Save codes"),
    Step("Verify Setup", "Verify"),
)


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (80, "✓ Scan QR Code ── ✓ Save Backup Recovery Codes ── ③ Verify Setup"),
        (54, "✓ Scan ── ✓ Save codes ── ③ Verify Setup"),
        (38, "✓ Scan ── ✓ Save codes ── ③ Verify"),
        (30, "✓ ── ✓ ── ③ Verify Setup"),
        (20, "✓ ── ✓ ── ③ Verify"),
    ],
)
async def test_a_short_line_has_short_names(width: int, line: str) -> None:
    app = Stage(lambda: [StepRail(STEPS)])
    async with app.run_test(size=(width, 24)) as pilot:
        app.query_one(StepRail).step = 2
        await pilot.pause()
        assert app.lines()[0] == line


async def test_the_steps_to_come_have_their_numbers_in_digits_where_no_circles_are() -> None:
    async with running(Stage(lambda: [StepRail(STEPS, circled=False)])) as (app, _):
        assert app.lines()[0] == "1 Scan QR Code ── 2 Save Backup Recovery Codes ── 3 Verify Setup"
