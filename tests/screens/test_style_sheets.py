"""The later style sheets: none of their rules concerns the first screen, and they are there before they are needed."""

import pytest
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.widget import Widget

from screens.settings.page import TABS
from tests.harness.consoles import console
from tui.host import Host
from tui.style_sheets import FIRST_STYLE_SHEETS, LATER_STYLE_SHEETS, STYLES, paths
from tui.widgets.dialog import Dialog


def later_rules(app: Host) -> list[RuleSet]:
    sheet = Stylesheet(variables=app.get_css_variables())
    for path in paths(LATER_STYLE_SHEETS):
        sheet.read(path)
    return sheet.rules


def matching(app: Host, rules: list[RuleSet], widget: Widget) -> list[set[str]]:
    """The selectors among `rules` that are meant for `widget`, whatever the size class of its screen."""
    return [rule.selector_names for rule in rules if any(app.stylesheet._check_rule(rule, widget.css_path_nodes))]


def test_every_sheet_is_among_the_first_or_the_later() -> None:
    assert sorted(path.stem for path in STYLES.glob("*.tcss")) == sorted((*FIRST_STYLE_SHEETS, *LATER_STYLE_SHEETS))


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (160, 50)])
async def test_no_rule_of_a_later_sheet_concerns_the_console_or_a_tab(size: tuple[int, int]) -> None:
    async with console(size=size) as stage:
        rules = later_rules(stage.app)
        for number in range(1, len(TABS) + 1):
            await stage.press(str(number))
            widgets = list(stage.app.screen.walk_children(Widget, with_self=True))
            assert len(widgets) > 10
            concerned = {str(widget): found for widget in widgets if (found := matching(stage.app, rules, widget))}
            assert not concerned


async def test_a_dialog_that_is_opened_before_that_has_its_styles(monkeypatch: pytest.MonkeyPatch) -> None:
    async def later(_app: Host) -> None:
        return None

    monkeypatch.setattr(Host, "add_style_sheets_in_turns", later)
    async with console() as stage:
        app = stage.app
        assert app._missing == LATER_STYLE_SHEETS
        app.action_help()
        await stage.until(lambda: bool(app.screen.query(Dialog)))
        assert not app._missing
        assert app.screen.query_one(Dialog).styles.border.top[0] == "round"


async def test_the_later_sheets_are_read_once_the_page_is_filled() -> None:
    async with console() as stage:
        await stage.until(lambda: not stage.app._missing)
        names = {read_from.rsplit("/", 1)[-1] for read_from, _ in stage.app.stylesheet.source}
        assert names >= {f"{name}.tcss" for name in LATER_STYLE_SHEETS}
