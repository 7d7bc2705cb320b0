"""Price Settings: whether models without a price may be called."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Static

from screens.account_modal import Notice
from screens.relative_time import ago
from screens.settings.section_save import SectionPane
from screens.settings.setting_controls import make_field
from store.sections import PriceSettings
from store.setting_fields import settings_of
from store.text import sanitize
from tui.widgets.toggle import Toggle

_OFF = "API calls to models without defined pricing rules are blocked. Recommended."
_ON = (
    "Calls to models without configured pricing are allowed. This may result in unpredictable costs if the model "
    "has dynamic or external pricing."
)
_FORBIDDEN = "The administrator of this site refuses models without a price; this switch has no effect here."


class PricePane(SectionPane[PriceSettings]):
    KIND = PriceSettings
    HELP_TEXT = (
        "A model without a price cannot be charged for by rule. While this is off, a call to such a model is "
        "refused before it costs anything. Enable it only when you fully understand the billing implications."
    )

    _is_forbidden = False
    """True if the administrator refuses models without a price, whatever the switch says."""

    def compose(self) -> ComposeResult:
        yield Static("Price Settings", classes="section-title")
        for setting in settings_of(PriceSettings):
            yield make_field(setting, classes="wide-label")
        yield Static(_OFF, id="consequence", classes="consequence")
        yield Static("Models you called that have no price", classes="section-title spaced")
        yield Static("…", id="unpriced", markup=False, classes="listing")
        yield Notice()
        yield self.save_row()

    def fill(self, section: PriceSettings) -> None:
        super().fill(section)
        self._explain(section.accept_unpriced_models)

    def note_edit(self) -> None:
        super().note_edit()
        self._explain(self.query_one("#accept-unpriced-models", Toggle).value)

    async def loaded(self) -> None:
        overview = await self.run_with_reauth(self.account.pricing)
        if overview is None:
            return
        self._lock(overview.value.forbids_unpriced)
        models = overview.value.seen
        now = self.account.now()
        lines = [
            f"{sanitize(model.model, 40):<42}{model.calls:>6} {'call ' if model.calls == 1 else 'calls'}   "
            f"{ago(model.last_seen_at, now)}"
            for model in models[:8]
        ]
        more = len(models) - len(lines)
        if more > 0:
            lines.append(f"and {more} more")
        self.query_one("#unpriced", Static).update("\n".join(lines) or "None so far.")

    def _lock(self, is_forbidden: bool) -> None:
        self._is_forbidden = is_forbidden
        toggle = self.query_one("#accept-unpriced-models", Toggle)
        toggle.disabled = is_forbidden
        toggle.locked = "refused by admin" if is_forbidden else ""
        toggle.refresh(layout=True)
        self._explain(toggle.value)

    def _explain(self, accepts: bool) -> None:
        consequence = self.query_one("#consequence", Static)
        is_warning = accepts and not self._is_forbidden
        consequence.update(_FORBIDDEN if self._is_forbidden else _ON if accepts else _OFF)
        consequence.set_class(is_warning, "warning")
        consequence.set_class(not is_warning, "muted")
