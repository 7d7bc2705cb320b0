"""Account Binding: the identity providers, and the identities that are bound."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Button, Static

from screens.account_modal import Notice
from screens.settings.binding_rows import BindingRow, EmailRow, ProviderRow, how
from screens.settings.pane import Pane
from store.errors import BindingsDisabled
from store.text import sanitize
from tui.widgets.confirm import Confirm
from tui.widgets.help_line import HelpLine
from tui.widgets.section import Section
from tui.widgets.state import State, state_chip

if TYPE_CHECKING:
    from store.errors import GatekeyError
    from store.values.bindings import BindingInfo
    from tui.account import BindingOverview, BoundEmail

_LATER: Final = (
    "When they are enabled, you can link a provider such as GitHub or an OIDC provider here, to simplify login and "
    "identity verification."
)
_NO_PROVIDER: Final = "The administrator has not added a provider yet."


class AccountBindingPane(Pane):
    HELP_TEXT: ClassVar[str] = (
        "Link identities of other providers, such as GitHub or an OIDC provider, to sign in with them. You open an "
        "address in your browser and enter a short code. Bound identities still ask for your second factor. The last "
        "way to sign in is never removed."
    )

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - as every widget has it
        super().__init__(id=id)
        self._listed: tuple[BindingInfo, ...] = ()

    def compose(self) -> ComposeResult:
        yield Section("Identity providers", id="providers")
        yield Static("…", id="binding-state", markup=False, classes="dialog-body muted")
        yield Notice()

    @property
    def purpose(self) -> str:
        can = self.account.capabilities
        return can.no_binding or (how(can) if can.no_device_login else self.HELP_TEXT)

    def _sentence(self, overview: BindingOverview) -> str:
        can = self.account.capabilities
        return can.no_binding if can.no_binding and overview.enabled else _sentence(overview, how(can))

    def reload(self) -> None:
        self.load()

    @work(exclusive=True, group="load")
    async def load(self) -> None:
        with self.reading():
            overview = await self.fetch(self.account.bindings)
            if overview is not None:
                await self.show_overview(overview.value)

    async def show_overview(self, overview: BindingOverview) -> None:
        self._listed = overview.bindings
        # What is bound can be unbound, also while binding is off.
        shown = [binding for binding in overview.bindings if overview.enabled or binding.binding_id is not None]
        section = self.query_one("#providers", Section)
        rows = list(section.query(ProviderRow))
        if [row.slug for row in rows] != [binding.provider.slug for binding in shown]:
            with self.app.batch_update():
                await section.remove_children()
                rows = [ProviderRow(binding) for binding in shown]
                await section.mount_all(rows)
        can = self.account.capabilities
        for row, binding in zip(rows, shown, strict=True):
            row.show_binding(binding, self.account.now(), can)
        await self._show_email(overview.email)
        self.refresh_bindings()
        self.query_one("#binding-state", Static).update(self._sentence(overview))
        section.state = _section_state(overview, asks_second_factor=not can.bindings_skip_second_factor)
        for panel in self.screen.query(HelpLine):
            panel.read_again()

    async def _show_email(self, email: BoundEmail | None) -> None:
        rows = list(self.query(EmailRow))
        if email is None:
            return
        if not rows:
            rows = [EmailRow()]
            await self.mount(Section("E-mail address", rows[0], id="bound-email"), before="#providers")
        rows[0].show_email(email)

    def offers(self, action: str) -> bool:
        return any(row.action == action for row in self.query(BindingRow))

    def focus_control(self, _control: str) -> None:
        for row in [row for row in self.query(BindingRow) if row.action][:1]:
            row.focus_button()

    # -- actions ---------------------------------------------------------------------------------------------

    def action_bind(self) -> None:
        self._act_on_row("bind")

    def action_unbind(self) -> None:
        self._act_on_row("unbind")

    def _act_on_row(self, action: str) -> None:
        """Bind or unbind what the focused row shows. If no such row has the focus, the first one gets it."""
        able = [row for row in self.query(BindingRow) if row.action == action]
        for row in able:
            if row.has_focus_within:
                self._press(row)
                return
        for row in able[:1]:
            row.focus_button()

    @on(Button.Pressed)
    def button_pressed(self, event: Button.Pressed) -> None:
        for row in self.query(BindingRow):
            if event.button in row.walk_children():
                self._press(row)

    def _press(self, row: BindingRow) -> None:
        self._say("")
        if isinstance(row, EmailRow):
            self.run_exclusive(partial(self._bind_email, row.address))
        for binding in self._listed:
            if isinstance(row, ProviderRow) and binding.provider.slug == row.slug:
                self._press_provider(binding)

    def _press_provider(self, binding: BindingInfo) -> None:
        if binding.binding_id is None and self.account.capabilities.no_device_login:
            self.run_exclusive(partial(self._bind_in_browser, binding.provider.slug))
        elif binding.binding_id is None:
            self.run_exclusive(partial(self._bind, binding.provider.slug))
        else:
            self.run_exclusive(partial(self._unbind, binding))

    async def _bind_email(self, before: str) -> None:
        from screens.settings.bind_email import BindEmail

        if await self.app.push_screen_wait(BindEmail(before)):
            self._said("The e-mail address was bound.")
            self._changed()

    async def _bind_in_browser(self, slug: str) -> None:
        from screens.bind_in_browser import BindInBrowser

        login = await self.run_with_reauth(lambda: self.account.begin_browser_login(slug), holds_input=True)
        if login is not None and await self.app.push_screen_wait(BindInBrowser(login.value)):
            self._said(f"The identity was bound. {self._what_of_sessions}")
            self._changed()

    @property
    def _what_of_sessions(self) -> str:
        return self.account.capabilities.bindings_end_no_session or "Other sessions were signed out."

    async def _bind(self, slug: str) -> None:
        from screens.bind_provider import ProviderLogin

        self._say("Asking the provider for a code…", "muted")
        login = await self.run_with_reauth(lambda: self.account.begin_device_login(slug), holds_input=True)
        if login is None:
            return
        self._say("")
        identity = await self.app.push_screen_wait(ProviderLogin(login.value))
        if identity is None:
            return
        question = Confirm(
            "Bind this identity?",
            f"{sanitize(identity.display)} at {sanitize(identity.provider.name)} "
            f"(id {sanitize(identity.subject, 60)}) will be "
            "able to sign in to your account.",
            "Bind",
        )
        if await self.app.push_screen_wait(question):
            if await self.run_with_reauth(lambda: self.account.bind(identity)) is not None:
                self._said(f"The identity was bound. {self._what_of_sessions}")
            self._changed()

    async def _unbind(self, binding: BindingInfo) -> None:
        number = binding.binding_id
        if number is None:
            return
        question = Confirm(
            "Unbind this identity?",
            f"{sanitize(binding.display)} at {sanitize(binding.provider.name)} will no longer sign in to your account.",
            "Unbind",
            dangerous=True,
        )
        if await self.app.push_screen_wait(question):
            if await self.run_with_reauth(lambda: self.account.unbind(number)) is not None:
                self._said(f"The identity was unbound. {self._what_of_sessions}")
            self._changed()

    def _changed(self) -> None:
        self.reload()
        self.tell_console()

    def _said(self, sentence: str) -> None:
        self.app.notify(sentence, markup=False)

    def _say(self, sentence: str, kind: str = "bad") -> None:
        self.query_one(Notice).say(sentence, kind)

    def show_failure(self, error: GatekeyError) -> None:
        self._say(f"{error.title}. {error}")


def _sentence(overview: BindingOverview, course: str) -> str:
    if not overview.enabled:
        return f"{BindingsDisabled.sentence}\n\n{_LATER}"
    return course if overview.bindings else f"{_NO_PROVIDER}\n\n{_LATER}"


def _section_state(overview: BindingOverview, *, asks_second_factor: bool) -> Content:
    if not overview.enabled:
        return state_chip(State.OFF, "disabled by the administrator")
    if not overview.bindings:
        return state_chip(State.OFF, "none yet")
    bound = sum(binding.binding_id is not None for binding in overview.bindings)
    words = f"{bound} of {len(overview.bindings)} bound"
    if asks_second_factor:
        words += " · the second factor is still asked"
    return Content.styled(words, "not bold $foreground-muted")
