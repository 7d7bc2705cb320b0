"""Sidebar Settings: the modules that the sidebar shows, with a preview of it."""

from __future__ import annotations

from typing import Final

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.events import Resize
from textual.widget import Widget
from textual.widgets import Static

from screens.account_modal import Notice
from screens.navigation import Navigation
from screens.settings.section_save import SectionPane
from store.modules import MODULES, SECTIONS
from store.sections import SidebarSettings
from store.setting_fields import Setting
from tui.widgets.field import Field
from tui.widgets.toggle import Toggle

WIDTH_WITH_PREVIEW: Final = 70
"""Cells of the form and the preview side by side, as in the style."""


class SidebarPane(SectionPane[SidebarSettings]):
    KIND = SidebarSettings
    HELP_TEXT = (
        "These toggles control UI visibility only. They do not disable underlying functionality or permissions. "
        "Changes apply after Save Settings. Settings stays reachable with F2 and from the palette."
    )

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - as every widget has it
        super().__init__(id=id)
        self._locked: frozenset[str] = frozenset()
        """Modules the administrator has hidden from everyone."""

    def compose(self) -> ComposeResult:
        with Horizontal(id="sidebar-columns"):
            with Vertical(id="sidebar-form"):
                for section in SECTIONS:
                    yield Field(
                        section.label,
                        Toggle(id=f"section-{section.id}", on="shown", off="hidden"),
                        classes="section-field",
                        help="Switches every module of this section.",
                    )
                    for module in section.modules:
                        note = f" ({module.note})" if module.note else ""
                        always = " It stays in reach with F2." if module.id == "settings" else ""
                        yield Field(
                            f"  {module.label}",
                            Toggle(id=f"module-{module.id}", on="shown", off="hidden"),
                            help=f"{module.label}{note}: visibility only, nothing else.{always}",
                        )
            with Vertical(id="sidebar-preview"):
                yield Static("Preview", classes="section-title")
                yield Navigation(id="preview", disabled=True)
        yield Notice()
        yield self.save_row()

    def on_resize(self, event: Resize) -> None:
        self.query_one("#sidebar-preview").set_class(event.size.width < WIDTH_WITH_PREVIEW, "-hidden")

    async def loaded(self) -> None:
        summary = await self.run_with_reauth(self.account.summary)
        if summary is None:
            return
        self._locked = summary.value.locked_modules
        for module in MODULES:
            toggle = self.query_one(f"#module-{module}", Toggle)
            toggle.disabled = module in self._locked
            toggle.locked = "hidden by admin" if toggle.disabled else ""
            toggle.refresh(layout=True)
        self._preview()

    def was_typed(self, control: Widget) -> bool:
        # The toggle of a section follows its modules. Restoring it would switch modules that nobody touched.
        return super().was_typed(control) and not (control.id or "").startswith("section-")

    def read_setting(self, _setting: Setting) -> frozenset[str]:
        """The modules whose toggle is off: the one setting of the section has a toggle for each module."""
        return frozenset(module for module in MODULES if not self.query_one(f"#module-{module}", Toggle).value)

    def fill(self, section: SidebarSettings) -> None:
        with self.prevent(Toggle.Changed):
            for module in MODULES:
                self.query_one(f"#module-{module}", Toggle).value = module not in section.hidden_modules
            self._show_sections()
        self._preview()

    @on(Toggle.Changed)
    def toggled(self, event: Toggle.Changed) -> None:
        name = event.toggle.id or ""
        with self.prevent(Toggle.Changed):
            for section in SECTIONS:
                if name == f"section-{section.id}":
                    for module in section.modules:
                        self.query_one(f"#module-{module.id}", Toggle).value = event.value
            self._show_sections()
        self._preview()
        self.note_edit()

    def _show_sections(self) -> None:
        for section in SECTIONS:
            states = [self.query_one(f"#module-{module.id}", Toggle).value for module in section.modules]
            self.query_one(f"#section-{section.id}", Toggle).value = any(states)

    def _preview(self) -> None:
        self.query_one("#preview", Navigation).hidden = self.read().hidden_modules | self._locked
