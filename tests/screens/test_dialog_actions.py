"""The row of buttons of every dialog: one blank row above it, the primary button at the right edge."""

import pytest
from textual.screen import ModalScreen

from tests.harness.consoles import Stage
from tests.harness.full_account import filled, live
from tests.harness.hostile_text import PAYLOADS
from tests.harness.screen_walk import NAME, Outside, Walk, on_stage
from tui.widgets.actions import Actions
from tui.widgets.dialog import Dialog

pytestmark = pytest.mark.anyio


class ActionsWalk(Walk):
    """Notes the place of the buttons in every dialog on the way."""

    def __init__(self, stage: Stage, account: Outside) -> None:
        super().__init__(stage, account)
        self.seen_rows: set[str] = set()
        self.wrong: list[str] = []

    def look(self, where: str) -> None:
        super().look(where)
        screen = self.stage.app.screen
        if not isinstance(screen, ModalScreen):
            return
        for dialog in screen.query(Dialog):
            for row in dialog.query(Actions):
                if row.region.area and row.displayed_children:
                    kind = type(screen).__name__
                    self.seen_rows.add(kind)
                    self.wrong += [f"{kind}, {where}: {fault}" for fault in self.faults(dialog, row)]

    def faults(self, dialog: Dialog, row: Actions) -> list[str]:
        blank = self.blank_rows_above(dialog, row)
        found = [] if blank == 1 else [f"{blank} blank rows above the buttons"]
        buttons = row.displayed_children
        if not row.has_class("-together"):
            last = max(button.region.right for button in buttons)
            if last != dialog.content_region.right:
                found.append(f"the last button ends {dialog.content_region.right - last} cells before the edge")
        return found

    def blank_rows_above(self, dialog: Dialog, row: Actions) -> int:
        strips = self.stage.app.screen._compositor.render_strips()
        inside = dialog.content_region
        lines = [strips[y].crop(inside.x, inside.right).text for y in range(inside.y, row.region.y)]
        while lines and lines[-1].strip():
            return 0
        return len(lines) - len("\n".join(lines).rstrip().split("\n"))


async def test_the_buttons_of_every_dialog_stand_alike() -> None:
    store, clock = filled()
    account = Outside(store, live(store, clock, NAME).person.token, PAYLOADS[0])
    async with on_stage(store, clock, account) as stage:
        walk = ActionsWalk(stage, account)
        await walk.everything()
    print(chr(10).join(walk.wrong), sorted(walk.seen_rows))
    assert walk.wrong == []
