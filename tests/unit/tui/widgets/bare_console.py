"""A bare console with the real stylesheet: the stage a widget stands on in its tests."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path, PurePath
from typing import ClassVar, TypeVar

from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot
from textual.widget import Widget

from tui.style_sheets import WIDGET_STYLE_SHEETS

STYLES = Path(__file__).parents[4] / "styles"


class Stage(App[None]):
    """Shows the widgets that `build` makes and remembers every message that bubbled up to it."""

    CSS_PATH: ClassVar[str | PurePath | list[str | PurePath] | None] = [
        STYLES / f"{name}.tcss" for name in WIDGET_STYLE_SHEETS
    ]

    def __init__(self, build: Callable[[], Iterable[Widget]] = tuple, *, ansi_color: bool | None = None) -> None:
        super().__init__(ansi_color=ansi_color)
        self._build = build
        self.messages: list[Message] = []

    def compose(self) -> ComposeResult:
        yield from self._build()

    async def _on_message(self, message: Message) -> None:
        self.messages.append(message)
        await super()._on_message(message)

    def lines(self) -> list[str]:
        """The screen's text, row by row, trailing blanks cut."""
        return [
            "".join(segment.text for segment in strip).rstrip() for strip in self.screen._compositor.render_strips()
        ]

    def shown(self) -> str:
        return "\n".join(self.lines())


AppT = TypeVar("AppT", bound=App[None])


@asynccontextmanager
async def running(app: AppT) -> AsyncIterator[tuple[AppT, Pilot[None]]]:
    """An application in a terminal of the usual size, and the pilot that drives it."""
    async with app.run_test(size=(80, 24)) as pilot:
        yield app, pilot


def stage_of(widget: Widget, height: int) -> Stage:
    """A stage for one widget of a fixed height."""
    widget.styles.height = height
    return Stage(lambda: (widget,))
