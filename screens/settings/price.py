"""Price Settings: whether models without a price may be called, and those that were called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.app import ComposeResult, RenderResult
from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Static

from screens.account_modal import Notice
from screens.relative_time import ago
from screens.settings.section_save import SectionPane
from screens.settings.setting_controls import make_field
from store.sections import PriceSettings
from store.setting_fields import settings_of
from store.text import sanitize
from tui.widgets.section import Section
from tui.widgets.toggle import UNKNOWN, Toggle

if TYPE_CHECKING:
    from store.values.billing import SeenModel

_OFF: Final = (
    "API calls to models without defined pricing rules are blocked. When this is on they are allowed, which may result "
    "in unpredictable costs."
)
_ON: Final = (
    "Calls to models without configured pricing are allowed. This may result in unpredictable costs if the model "
    "has dynamic or external pricing."
)
_FORBIDDEN: Final = "The administrator of this site refuses models without a price; this switch has no effect here."
_ASK: Final = "ask your administrator for a price"
_NONE: Final = "None so far: every model you called has a price."
MAX_LISTED: Final = 8
_MAX_NAME_CELLS: Final = 40
_CALLS_CELLS: Final = 8
_WHEN_CELLS: Final = 14
_VERDICT_CELLS: Final = 9


class UnpricedModels(Widget):
    """The table of the models without a price, drawn in one piece."""

    models: reactive[tuple[SeenModel, ...] | None] = reactive(None, layout=True)
    """None until they were read."""
    are_blocked: reactive[bool] = reactive(True)
    """True if calls to them are blocked, as saved and as the site says."""

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 (Widget's)
        return len(self._lines(width))

    def render(self) -> RenderResult:
        return Content("\n").join(self._lines(self.content_size.width))

    def _lines(self, width: int) -> list[Content]:
        if self.models is None:
            return [Content.styled(UNKNOWN, "$foreground-muted")]
        if not self.models:
            return [Content.styled(_NONE, "$foreground-muted")]
        now = self.app.account.now()  # type: ignore[attr-defined] # the console's
        names = [Content(sanitize(model.model)) for model in self.models[:MAX_LISTED]]
        room = max(8, min(_MAX_NAME_CELLS, width - _CALLS_CELLS - _WHEN_CELLS - _VERDICT_CELLS - 2))
        column = min(room, max(len("Model"), *(name.cell_length for name in names)))
        head = f"{'Model'.ljust(column)}{'Calls'.rjust(_CALLS_CELLS)}  Last called"
        verdict = ("blocked", "$text-error") if self.are_blocked else ("allowed", "$text-warning")
        lines = [Content.styled(head, "$foreground-muted")]
        for name, model in zip(names, self.models, strict=False):
            shown = name.truncate(column, ellipsis=True)
            shown = shown.pad_right(column - shown.cell_length)
            when = ago(model.last_seen_at, now).ljust(_WHEN_CELLS)
            lines.append(Content.assemble(shown, f"{model.calls:,}".rjust(_CALLS_CELLS), f"  {when}", verdict))
        more = len(self.models) - len(names)
        return [*lines, Content.styled(f"and {more} more", "$foreground-muted")] if more > 0 else lines


class PricePane(SectionPane[PriceSettings]):
    KIND = PriceSettings
    HELP_TEXT = (
        "A model without a price cannot be charged for by rule. While this is off, a call to such a model is "
        "refused before it costs anything. Enable it only when you fully understand the billing implications."
    )

    _is_forbidden = False
    """True if the administrator refuses models without a price, whatever the switch says."""

    def compose(self) -> ComposeResult:
        with Section("Price Settings"):
            for setting in settings_of(PriceSettings):
                yield make_field(setting, Static("", id="recommended", markup=False), classes="wide-label")
            yield Static("", id="consequence", classes="consequence", markup=False)
        with Section("Models you called that have no price", id="unpriced-models"):
            if limit := self.account.capabilities.no_seen_models:
                yield Static(limit, id="no-seen-models", classes="consequence muted", markup=False)
            else:
                yield UnpricedModels(id="unpriced")
        yield self.save_row()
        yield Notice()

    def fill(self, section: PriceSettings) -> None:
        super().fill(section)
        self._explain()

    def note_edit(self) -> None:
        super().note_edit()
        self._explain()

    async def loaded(self) -> None:
        overview = await self.fetch(self.account.pricing)
        if overview is None:
            return
        self._lock(overview.value.forbids_unpriced)
        models = overview.value.seen
        for table in self.query(UnpricedModels):
            table.models = tuple(models)
        state = Content.styled(_ASK, "$foreground-muted") if models else Content("")
        self.query_one("#unpriced-models", Section).state = state

    @property
    def _toggle(self) -> Toggle:
        return self.query_one("#accept-unpriced-models", Toggle)

    def _lock(self, is_forbidden: bool) -> None:
        self._is_forbidden = is_forbidden
        toggle = self._toggle
        toggle.disabled = is_forbidden
        toggle.locked = "refused by admin" if is_forbidden else ""
        toggle.refresh(layout=True)
        self._explain()

    def _explain(self) -> None:
        accepts = self._toggle.value
        is_warning = accepts and not self._is_forbidden
        is_known = self._toggle.is_known or self._is_forbidden
        consequence = self.query_one("#consequence", Static)
        consequence.update((_FORBIDDEN if self._is_forbidden else _ON if accepts else _OFF) if is_known else UNKNOWN)
        consequence.set_class(is_warning, "warning")
        consequence.set_class(not is_warning, "muted")
        is_recommended = is_known and not accepts and not self._is_forbidden
        self.query_one("#recommended", Static).update(
            Content.styled("recommended", "$text-success") if is_recommended else ""
        )
        for table in self.query(UnpricedModels):
            table.are_blocked = self._is_forbidden or not self.known.accept_unpriced_models
