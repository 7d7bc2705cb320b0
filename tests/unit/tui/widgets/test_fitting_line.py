"""A line of several wordings shows the first that fits, and never a part of one."""

import pytest

from tests.unit.tui.widgets.bare_console import stage_of
from tui.widgets.fitting_line import FittingLine


@pytest.mark.parametrize(("width", "shown"), [(40, "$3.00 in / million"), (17, "$3.00 in"), (8, "$3.00 in"), (7, "")])
async def test_the_first_wording_that_fits_is_shown(width: int, shown: str) -> None:
    line = FittingLine()
    app = stage_of(line, 1)
    async with app.run_test(size=(width, 24)) as pilot:
        line.words = ("$3.00 in / million", "$3.00 in")
        await pilot.pause()
        assert app.lines()[0].strip() == shown
