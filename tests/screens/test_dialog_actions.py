"""The row of buttons of every dialog: one row above it is free, and the primary button is at the right edge."""

from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Button

from screens.account_modal import Notice
from tests.harness.consoles import Stage
from tests.harness.drawers import PLACE
from tests.harness.full_account import filled, live
from tests.harness.hostile_text import PAYLOADS
from tests.harness.screen_walk import NAME, Outside, Walk, every_screen, on_stage
from tui.widgets.actions import Actions

WITHOUT_BUTTONS = {"Help", "Palette"}


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
        for row in screen.query(Actions):
            if row.region.area:
                kind = type(screen).__name__
                self.seen_rows.add(kind)
                self.wrong += [f"{kind}, {where}: {fault}" for fault in self.faults(row)]

    def faults(self, row: Actions) -> list[str]:
        parent = row.parent
        assert isinstance(parent, Widget)
        above = parent.displayed_children[: parent.displayed_children.index(row)]
        # A notice is the gap, and keeps it while it is empty.
        notices = [widget.region.height for widget in above if isinstance(widget, Notice)]
        gap = row.region.y - max(widget.region.bottom for widget in above if not isinstance(widget, Notice))
        found = [] if gap == max([1, *notices]) else [f"{gap} rows between the content and the buttons"]
        buttons = list(row.query(Button))
        last = buttons[-1]
        if not row.has_class("-together") and (len(buttons) > 1 or last.variant == "primary"):
            left = parent.content_region.right - last.region.right
            found += [f"the last button ends {left} cells before the edge"] if left else []
        elif buttons[0].region.x - parent.content_region.x > 1:
            found.append("the first button does not begin at the edge")
        return found


async def test_the_buttons_of_every_dialog_stand_alike() -> None:
    store, clock = filled()
    token = live(store, clock, NAME).person.token
    over_ssh = Outside(store, token, PAYLOADS[0], fetch_place=PLACE)
    async with on_stage(store, clock, over_ssh) as stage:
        first = ActionsWalk(stage, over_ssh)
        await first.drawer()
    account = Outside(store, token, PAYLOADS[0])
    async with on_stage(store, clock, account) as stage:
        walk = ActionsWalk(stage, account)
        await walk.everything()
    assert (first.wrong, walk.wrong) == ([], [])
    dialogs = {screen.__name__ for screen in every_screen() if issubclass(screen, ModalScreen)}
    assert dialogs - first.seen_rows - walk.seen_rows == WITHOUT_BUTTONS
