"""Privacy Settings: whether logs hold the client's address, and the addresses that are stored."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.widgets import Button, Static

from screens.account_modal import Notice
from screens.settings.section_save import SectionPane
from screens.settings.setting_controls import make_field
from store.sections import PrivacySettings
from store.setting_fields import settings_of
from tui.widgets.action_button import ActionButton
from tui.widgets.confirm import Confirm
from tui.widgets.field import Field
from tui.widgets.section import Section
from tui.widgets.toggle import UNKNOWN, Toggle

_ON = (
    "Consumption logs and error logs record the client IP from the next request on. This assists with security "
    "auditing, debugging and investigating suspicious activity."
)
_OFF = "IP addresses are not stored in consumption and error logs."
_MAX_COUNTED_ENTRIES = 10_000
_WHILE_OFF = "While this is off, no address of a client is written to a log of your account."
_BALANCE = "The setting balances observability with privacy."


class PrivacyPane(SectionPane[PrivacySettings]):
    KIND = PrivacySettings
    HELP_TEXT = f"{_WHILE_OFF} Addresses that were recorded before stay until you erase them here. {_BALANCE}"

    def compose(self) -> ComposeResult:
        with Section("Privacy Settings"):
            for setting in settings_of(PrivacySettings):
                yield make_field(setting, classes="wide-label")
            yield Static("", id="consequence", classes="consequence", markup=False)
        with Section("Stored addresses", id="stored-addresses"):
            if limit := self.account.capabilities.no_ip_erasure:
                yield Static(limit, id="no-ip-erasure", classes="consequence muted", markup=False)
            else:
                yield self._erasure()
        yield self.save_row()
        yield Notice()

    @property
    def purpose(self) -> str:
        if not self.account.capabilities.no_ip_erasure:
            return self.HELP_TEXT
        return f"{_WHILE_OFF} {_BALANCE}"

    def _erasure(self) -> Field:
        return Field(
            "Log entries with an IP",
            Static(UNKNOWN, id="stored-ips", markup=False),
            ActionButton("Erase them", id="erase-ips", disabled=True, classes="at-right"),
            classes="wide-label",
            help="Removes the addresses from the log entries; the entries stay.",
            about="Addresses that were recorded while the switch was on stay in the log entries until they are "
            "erased here. The entries themselves stay.",
            consequence="It cannot be undone.",
        )

    def fill(self, section: PrivacySettings) -> None:
        super().fill(section)
        self._explain()

    def note_edit(self) -> None:
        super().note_edit()
        self._explain()

    async def loaded(self) -> None:
        if self.account.capabilities.no_ip_erasure:
            return
        count = await self.fetch(self.account.count_ips)
        if count is not None:
            shown = f"more than {_MAX_COUNTED_ENTRIES:,}" if count.value > _MAX_COUNTED_ENTRIES else f"{count.value:,}"
            self.query_one("#stored-ips", Static).update(shown)
            self.query_one("#erase-ips", Button).disabled = count.value == 0

    @on(Button.Pressed, "#erase-ips")
    def erase_pressed(self) -> None:
        self.run_exclusive(self._erase)

    async def _erase(self) -> None:
        question = Confirm(
            "Erase stored IP addresses?",
            "The addresses are removed from every log entry of your account; the entries stay. This cannot be undone.",
            "Erase",
            dangerous=True,
        )
        if not await self.app.push_screen_wait(question):
            return
        erased = await self.run_with_reauth(self.account.erase_ips)
        if erased is not None:
            self.say(f"Erased from {erased.value:,} log entries.", "good")
            await self.loaded()

    def _explain(self) -> None:
        toggle = self.query_one("#record-client-ip", Toggle)
        consequence = self.query_one("#consequence", Static)
        consequence.update((_ON if toggle.value else _OFF) if toggle.is_known else UNKNOWN)
        consequence.set_class(not toggle.value, "muted")
