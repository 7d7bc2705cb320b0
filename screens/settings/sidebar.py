"""Sidebar Settings: the modules that the sidebar shows. From 100 columns the sidebar itself follows the edits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.events import Resize

from screens.account_modal import Notice
from screens.navigation import Navigation
from screens.settings.section_save import SectionPane
from store.modules import MODULES, SECTIONS, Module
from store.sections import SidebarSettings
from store.setting_fields import Setting, settings_of
from tui.widgets.field import Field
from tui.widgets.section import Section
from tui.widgets.toggle import Toggle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.widget import Widget
    from textual.widgets import Input

_STATE: Final = ("visibility only; nothing is switched off", "visibility only")
"""The state of the section, and the same for a narrow one."""
_NARROW: Final = 66
"""Cells of a section that has no room for the longer state."""
_STAYS: Final = "hidden or not, ^p still opens it"


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
        (setting,) = settings_of(SidebarSettings)
        with Section("Sidebar Settings", id="sidebar-form"):
            for area in SECTIONS:
                yield Field(
                    area.label,
                    _toggle(f"section-{area.id}"),
                    classes="section-field",
                    help="Switches every module of this section.",
                    about=f"{setting.about}\n\nThis switch turns every module of the {area.label}.",
                    consequence=setting.consequence,
                )
                for module in area.modules:
                    yield self._row(module, setting)
        yield self.save_row()
        yield Notice()

    def _row(self, module: Module, setting: Setting) -> Field:
        note = f" ({module.note})" if module.note else ""
        is_settings = module.id == "settings"
        toggle = _toggle(f"module-{module.id}")
        always = " It stays in reach with F2." if is_settings else ""
        return Field(
            f"  {module.label}",
            toggle,
            help=f"{module.label}{note}: visibility only, nothing else.{always}",
            about=f"{module.label}{note}, in the sidebar.{always}",
            consequence=setting.consequence,
        )

    def _module_toggle(self, module: str) -> Toggle:
        return self.query_one(f"#module-{module}", Toggle)

    # -- the form ----------------------------------------------------------------------------------------------

    async def loaded(self) -> None:
        summary = await self.fetch(self.account.summary)
        if summary is None:
            return
        self._locked = summary.value.locked_modules
        for module in MODULES:
            toggle = self._module_toggle(module)
            toggle.disabled = module in self._locked
            toggle.locked = "hidden by admin" if toggle.disabled else ""
            toggle.refresh(layout=True)
        self._preview()

    def controls(self) -> Iterator[Toggle | Input]:
        """The switches of the modules. Those of the areas follow them."""
        return (self._module_toggle(module) for module in MODULES)

    def was_typed(self, control: Widget) -> bool:
        return isinstance(control, Toggle) and control.is_known

    def read_setting(self, _setting: Setting) -> frozenset[str]:
        """The modules whose toggle is off: the one setting of the section has a toggle for each module."""
        return frozenset(module for module in MODULES if not self._module_toggle(module).value)

    def count_changes(self, section: SidebarSettings) -> int:
        """The number of modules that are shown and were hidden, or the other way round."""
        return len(self.read().hidden_modules ^ section.hidden_modules)

    def summarize(self, _changed: list[Setting], section: SidebarSettings) -> str:
        hidden = [module.label for area in SECTIONS for module in area.modules if module.id in section.hidden_modules]
        return f"Hidden: {', '.join(hidden)}." if hidden else "Every module is shown."

    def fill(self, section: SidebarSettings) -> None:
        with self.prevent(Toggle.Changed):
            for module in MODULES:
                toggle = self._module_toggle(module)
                toggle.value = module not in section.hidden_modules
                toggle.is_known = True
        self._show_areas()
        self._preview()

    @on(Toggle.Changed)
    def toggled(self, event: Toggle.Changed) -> None:
        name = event.toggle.id or ""
        with self.prevent(Toggle.Changed):
            for area in SECTIONS:
                if name == f"section-{area.id}":
                    for module in area.modules:
                        self._module_toggle(module.id).value = event.value

    def note_edit(self) -> None:
        super().note_edit()
        self._show_areas()
        self._preview()

    def _show_areas(self) -> None:
        with self.prevent(Toggle.Changed):
            for area in SECTIONS:
                toggles = [self._module_toggle(module.id) for module in area.modules]
                switch = self.query_one(f"#section-{area.id}", Toggle)
                shown = sum(toggle.value for toggle in toggles)
                switch.value = shown == len(toggles)
                switch.is_mixed = 0 < shown < len(toggles)
                switch.is_known = all(toggle.is_known for toggle in toggles)

    # -- the sidebar beside the form ---------------------------------------------------------------------------

    def on_resize(self, event: Resize) -> None:
        state = _STATE[event.size.width < _NARROW]
        self.query_one("#sidebar-form", Section).state = Content.styled(state, "$foreground-muted")
        settings = self._module_toggle("settings")
        settings.label = "" if event.size.width < _NARROW else _STAYS
        settings.refresh(layout=True)

    def on_show(self) -> None:
        self._preview()

    def on_hide(self) -> None:
        self._show_in_sidebar(self.known.hidden_modules)

    def _preview(self) -> None:
        """Let the sidebar show the edits while this tab is shown."""
        if self.saved is not None and self.is_on_screen:
            is_beside = not (self.screen.has_class("-narrow") or self.screen.has_class("-slim"))
            self._show_in_sidebar(self.read().hidden_modules if is_beside else self.known.hidden_modules)

    def _show_in_sidebar(self, hidden: frozenset[str]) -> None:
        if self.saved is not None:
            for navigation in self.screen.query(Navigation):
                navigation.hidden = hidden | self._locked


def _toggle(name: str) -> Toggle:
    return Toggle(id=name, on="shown", off="hidden", is_known=False)
