"""Everything about one call. Each value can be copied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Resize
from textual.widgets import Button, OptionList
from textual.widgets.option_list import Option

from screens.account_modal import AccountModal, Notice
from screens.limited_text import reworded
from screens.modules.log_columns import NOT_RECORDED, cost_words, percent, progress, status_words, took
from screens.modules.log_cost import cost_lines
from store.text import pluralize, sanitize
from store.usage_words import KIND_WORDS
from store.values.capabilities import EVERYTHING
from store.values.usage import Kind
from tui.clipboard import copy
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.dialog import Dialog

if TYPE_CHECKING:
    from datetime import tzinfo

    from store.values.usage import LoggedEntry
    from tui.account import Capabilities

_LABEL_CELLS: Final = 14
_PADDING_CELLS: Final = 2
"""Beside a line of the list."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One line: a label, and a value as it is shown and as it is copied."""

    label: str
    value: Content
    text: str

    def draw(self, cells: int | None = None) -> Content:
        """The line; a value that is too long for `cells` goes on below its beginning."""
        lines = [self.value] if cells is None else self.value.wrap(max(cells - _LABEL_CELLS, 1))
        label = Content.styled(self.label.ljust(_LABEL_CELLS), "$foreground-muted")
        return Content.assemble(label, Content(f"\n{' ' * _LABEL_CELLS}").join(lines))


class LogDetails(AccountModal[None]):
    """The facts of one entry in a list; `y` copies the value of the line, `a` all of them."""

    HELP_TEXT: ClassVar[str] = (
        "One call: how it ended, its tokens and what each of them cost at the price of that time. The arrows choose a "
        "line, and its value can be copied. An address is there only if Privacy recorded it when the call was made."
    )
    AUTO_FOCUS: ClassVar[str | None] = "OptionList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "Copy", id="log-details.copy", tooltip="Send the value of the line to the clipboard"),
        Binding("a", "copy_all", "Copy all", id="log-details.copy-all", tooltip="Send every line to the clipboard"),
    ]

    @property
    def purpose(self) -> str:
        unpriced = self.app.account.capabilities.no_call_prices
        return reworded(self.HELP_TEXT, (unpriced, "what each of them cost at the price of that time", "its cost"))

    def __init__(self, row: LoggedEntry) -> None:
        super().__init__()
        self._row = row
        self._facts: list[Fact] = []

    def compose(self) -> ComposeResult:
        zone = self.app.zone
        self._facts = facts(self._row, zone, self.account.capabilities)
        title = (
            f"{KIND_WORDS[self._row.entry.kind].capitalize()} · {self._row.at.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"
        )
        with Dialog(title, classes="-roomy"):
            yield OptionList(*(Option(fact.draw()) for fact in self._facts), id="facts", compact=True)
            yield Notice()
            with Actions():
                yield ActionButton("Copy", id="copy", shortcut="y")
                yield ActionButton("Copy all", id="copy-all", shortcut="a")
                yield ActionButton("Close", id="cancel", shortcut="esc", variant="primary")

    @on(Resize)
    def fit_lines(self) -> None:
        lines = self.query_one(OptionList)
        cells = lines.scrollable_content_region.width - _PADDING_CELLS
        for at, fact in enumerate(self._facts):
            lines.replace_option_prompt_at_index(at, fact.draw(cells))

    @on(Button.Pressed, "#copy")
    @on(OptionList.OptionSelected)
    def action_copy(self) -> None:
        line = self.query_one(OptionList).highlighted
        if line is not None:
            fact = self._facts[line]
            self.copy_text(fact.text, fact.label.strip() or "the sentence")

    @on(Button.Pressed, "#copy-all")
    def action_copy_all(self) -> None:
        self.copy_text("\n".join(fact.draw().plain.rstrip() for fact in self._facts), "everything")

    @work(exclusive=True, group="copy")
    async def copy_text(self, text: str, what: str) -> None:
        copied = await copy(self.app, text)
        self.say(f"{copied.sentence}: {what}.", "good")


def facts(row: LoggedEntry, zone: tzinfo, can: Capabilities = EVERYTHING) -> list[Fact]:
    """The facts about a call, the most important first."""
    entry = row.entry
    found = [Fact("Status", status_words(row), entry.status)]
    if entry.detail:
        found.append(_fact("Why" if entry.kind is Kind.ERROR else "Remark", entry.detail, 500))
    if can.no_task_models and entry.kind in (Kind.DRAWING, Kind.TASK):
        return [*found, *_task_facts(row, zone)]
    task = "Task id" if entry.kind is Kind.TASK else "Request id"
    found += [
        _fact("Time", f"{row.at.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"),
        _fact("Model", entry.model, 200),
        _fact(task, entry.request_id, 100),
        _fact("API key", entry.api_key_name, 64),
        _fact("Client IP", entry.client_ip or "", 45, absent=NOT_RECORDED),
        _fact("Took", took(entry.duration_ms)),
    ]
    if entry.kind is Kind.TASK:
        found.append(_fact("Progress", progress(row)))
    if entry.images or entry.kind is Kind.DRAWING:
        size = f", {entry.image_size}" if entry.image_size else ""
        found.append(_fact("Images", f"{pluralize(entry.images, 'image')}{size}"))
    cached = f", of them {entry.cached_tokens:,} cached" if entry.cached_tokens else ""
    found += [
        _fact("Tokens in", f"{entry.prompt_tokens:,}{cached}"),
        _fact("Tokens out", f"{entry.completion_tokens:,}"),
    ]
    found += [_fact(label, words) for label, words in cost_lines(entry, not_told=can.no_call_prices)]
    found.append(_charged(row))
    return found


def _task_facts(row: LoggedEntry, zone: tzinfo) -> list[Fact]:
    """The facts about a drawing or task of which the account tells the action, and no model and no key."""
    entry = row.entry
    return [
        _fact("Submitted", f"{row.at.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"),
        _fact("Action", entry.model, 200),
        _fact("Id", entry.request_id, 200),
        _fact("Progress", percent(row)),
        _fact("Took", took(entry.duration_ms) if entry.duration_ms else "", absent="not finished"),
        _charged(row),
    ]


def _charged(row: LoggedEntry) -> Fact:
    return Fact("Charged", Content.styled(cost_words(row, dollar=True), "bold"), cost_words(row))


def _fact(label: str, text: str, limit: int = 200, *, absent: str = "–") -> Fact:
    if not text:
        return Fact(label, Content.styled(absent, "$foreground-muted"), "")
    safe = sanitize(text, limit)
    return Fact(label, Content(safe), safe)
