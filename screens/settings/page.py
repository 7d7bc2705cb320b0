"""The Settings page: six tabs in two areas, each filled when it is first shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.reactive import reactive

from screens.settings.pane import Pane
from tui.widgets.row_walk import RowWalk, is_typing
from tui.widgets.tab_bar import TabBar, TabLabel

if TYPE_CHECKING:
    from collections.abc import Callable

TABS: Final = (
    TabLabel("account-binding", "Account Binding"),
    TabLabel("security", "Security"),
    TabLabel("notifications", "Notifications", starts_area=True),
    TabLabel("price", "Price"),
    TabLabel("privacy", "Privacy"),
    TabLabel("sidebar", "Sidebar"),
)
HEADINGS: Final = {
    "account-binding": ("Account Management", "Account Binding"),
    "security": ("Account Management", "Security Settings"),
    "notifications": ("Other Settings", "Notification Configuration"),
    "price": ("Other Settings", "Price Settings"),
    "privacy": ("Other Settings", "Privacy Settings"),
    "sidebar": ("Other Settings", "Sidebar Settings"),
}
"""The area and the heading of each tab."""
FIRST: Final = "security"
_TAB_KEYS: Final = Binding.Group("Tab")
"""The digits of the tabs are one hint of the footer."""
_DISCARD: Final = "Discard the edits of this tab, or bring them back"
_SECURITY_KEYS: Final = (
    ("t", "token", "Token", "Generate a new System Access Token"),
    ("v", "revoke_token", "Revoke token", "Revoke the System Access Token"),
    ("p", "password", "Password", "Change the password"),
    ("y", "passkeys", "Passkeys", "Register, rename or remove passkeys"),
    ("h", "ssh_keys", "SSH keys", "Add, rename or remove SSH keys"),
    ("f", "two_factor", "2FA", "Two-factor authentication"),
    ("s", "sessions", "Sessions", "See where you are signed in"),
    ("o", "sign_out_others", "Sign out others", "End every session but this one"),
    ("a", "activity", "Activity", "See what was done to your account"),
    ("w", "drawer", "Drawer", "See what you saved, and how to fetch it"),
    ("e", "export", "Export", "Write everything that is stored about you into a file"),
    ("x", "delete", "Delete", "Delete the account"),
)
"""These keys work anywhere on the Security tab, and on no other tab."""


_BINDING_KEYS: Final = (
    ("b", "bind", "Bind", "Bind an identity at the focused provider"),
    ("d", "unbind", "Unbind", "Unbind the identity at the focused provider"),
)
"""These keys work anywhere on the Account Binding tab, and on no other tab."""


class SettingsPage(RowWalk, Vertical):
    """Switching tabs keeps what was typed; a tab with unsaved edits is marked."""

    DEFAULT_CLASSES = "module-page"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "Save", id="tab.save", tooltip="Save the settings of this tab"),
        Binding("u", "discard", "Discard", id="tab.discard", tooltip=_DISCARD),
        Binding("u", "bring_back", "Bring back", id="tab.discard", tooltip=_DISCARD),
        Binding(
            "T",
            "test",
            "Send test",
            id="tab.test",
            tooltip="Send a test message on the channel of the focused row",
        ),
        Binding(
            "R",
            "reset",
            "Reset to Default",
            id="tab.reset",
            show=False,
            tooltip="Fill this tab with the defaults; Save stores them",
        ),
        Binding(
            "left_square_bracket,ctrl+pageup",
            "step(-1)",
            "Previous tab",
            id="tab.previous",
            show=False,
            tooltip="Show the tab to the left",
        ),
        Binding(
            "right_square_bracket,ctrl+pagedown",
            "step(1)",
            "Next tab",
            id="tab.next",
            show=False,
            tooltip="Show the tab to the right",
        ),
        Binding(
            "ctrl+r,f5",
            "read_again",
            "Refresh",
            id="tab.refresh",
            show=False,
            tooltip="Read this tab again; edits stay",
        ),
        Binding("escape", "leave_input", "Leave field", id="tab.leave-field", tooltip="Back to the tabs"),
        *(
            Binding(
                str(number),
                f"show('{tab.id}')",
                tab.label,
                id=f"tab.{tab.id}",
                group=_TAB_KEYS,
                tooltip=f"Show the {tab.label} tab",
            )
            for number, tab in enumerate(TABS, 1)
        ),
        *(
            Binding(key, f"security('{action}')", label, id=f"security.{action}", show=False, tooltip=about)
            for key, action, label, about in _SECURITY_KEYS
        ),
        *(
            Binding(key, f"provider('{action}')", label, id=f"account-binding.{action}", tooltip=about)
            for key, action, label, about in _BINDING_KEYS
        ),
    ]

    active: reactive[str] = reactive(FIRST, init=False, bindings=True)

    def compose(self) -> ComposeResult:
        yield TabBar(TABS, active=FIRST, id="settings-tabs")
        yield pane_class(FIRST)(id=FIRST)

    def ready(self) -> None:
        """Fill the pane that is shown. The account is open now."""
        if self.screen.focused is None:
            self.focus_tabs()
        self.pane.shown()

    @property
    def pane(self) -> Pane:
        """The pane that is shown."""
        return self.query_one(f"#{self.active}", Pane)

    def focus_tabs(self) -> None:
        self.query_one(TabBar).focus()

    async def show_tab(self, tab: str) -> Pane:
        """Show a tab; returns its pane once it is there."""
        if tab != self.active:
            with self.app.batch_update():
                self.pane.display = False
                self.active = tab
                if any(pane.id == tab for pane in self.children):
                    self.pane.display = True
                else:
                    await self.mount(pane_class(tab)(id=tab))
            self.query_one(TabBar).active = tab
            self.pane.shown()
        return self.pane

    async def go_to(self, tab: str, control: str) -> None:
        """Show a tab and focus one of its controls."""
        pane = await self.show_tab(tab)
        await pane.complete()
        pane.focus_control(control)

    @property
    def unsaved(self) -> list[Pane]:
        """The panes with unsaved edits."""
        return [pane for pane in self.query(Pane) if pane.dirty]

    async def confirm_leave(self) -> bool:
        """Ask about each tab with unsaved edits; the tab is shown meanwhile, with any error. Call it in a worker."""
        for pane in self.unsaved:
            if pane is not self.pane:
                await self.show_tab(pane.id or FIRST)
                self.focus_tabs()
            if not await pane.confirm_leave():
                return False
        return True

    # -- tabs ------------------------------------------------------------------------------------------------

    def action_show(self, tab: str) -> None:
        self.query_one(TabBar).active = tab
        self.focus_tabs()

    def action_step(self, by: int) -> None:
        self.query_one(TabBar).action_step(by)
        self.focus_tabs()

    @on(TabBar.Activated)
    async def tab_activated(self, event: TabBar.Activated) -> None:
        # Of two activations at once, the first is outdated. Showing it would activate it again, without end.
        if event.tab_id == event.bar.active:
            await self.show_tab(event.tab_id)

    @on(Pane.DirtyChanged)
    def dirty_changed(self) -> None:
        self.query_one(TabBar).dirty = frozenset(pane.id or "" for pane in self.unsaved)
        self.refresh_bindings()

    # -- saving ----------------------------------------------------------------------------------------------

    def action_leave_input(self) -> None:
        """Go from an input to the tabs, where digits and letters are keys again."""
        self.focus_tabs()

    def action_read_again(self) -> None:
        self.pane.shown()

    def action_save(self) -> None:
        self.pane.save()

    def action_discard(self) -> None:
        self.pane.discard()

    def action_bring_back(self) -> None:
        self.pane.bring_back()

    def action_reset(self) -> None:
        self.pane.reset()

    def action_test(self) -> None:
        self.pane.test()

    def action_security(self, action: str) -> None:
        getattr(self.pane, f"action_{action}")()

    def action_provider(self, action: str) -> None:
        getattr(self.pane, f"action_{action}")()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "leave_input":
            return is_typing(self.screen.focused)
        if action == "security":
            return self.active == "security" and self.pane.offers(str(parameters[0]))
        if action == "provider":
            return self.active == "account-binding" and self.pane.offers(str(parameters[0]))
        if action not in ("save", "discard", "bring_back", "reset", "test"):
            return True
        # Asked for every key at every Tab: a query would walk all controls.
        pane = next((pane for pane in self.children if pane.id == self.active and isinstance(pane, Pane)), None)
        if action == "test":
            return pane is not None and pane.can_test()
        if pane is None or not pane.IS_FORM:
            return False
        if action == "reset":
            return True
        if action == "bring_back":
            return pane.can_bring_back
        if pane.dirty:
            return True
        return False if action == "discard" and pane.can_bring_back else None


def pane_class(tab: str) -> Callable[..., Pane]:
    """The pane of a tab, imported when it is first shown."""
    match tab:
        case "account-binding":
            from screens.settings.account_binding import AccountBindingPane

            return AccountBindingPane
        case "security":
            from screens.settings.security import SecurityPane

            return SecurityPane
        case "notifications":
            from screens.settings.notifications import NotificationsPane

            return NotificationsPane
        case "price":
            from screens.settings.price import PricePane

            return PricePane
        case "privacy":
            from screens.settings.privacy import PrivacyPane

            return PrivacyPane
        case "sidebar":
            from screens.settings.sidebar import SidebarPane

            return SidebarPane
        case _:
            raise ValueError(f"there is no tab {tab}")
