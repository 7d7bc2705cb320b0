"""Account Binding: the identity providers, and the identities that are bound."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Button, Static

from screens.account_modal import Notice
from screens.relative_time import ago
from screens.settings.pane import Pane
from store.errors import BindingsDisabled
from store.text import sanitize
from tui.widgets.action_button import ActionButton
from tui.widgets.confirm import Confirm
from tui.widgets.field import Field
from tui.widgets.help_line import HelpLine
from tui.widgets.section import Section
from tui.widgets.state import State, state_chip

if TYPE_CHECKING:
    from datetime import datetime

    from store.errors import GatekeyError
    from store.values.bindings import BindingInfo
    from tui.account import BindingOverview

_HOW: Final = (
    "Binding shows an address and a short code; open it in any browser, on any device.\n"
    "Bound identities are never linked by e-mail address, and no provider token is kept."
)
_LATER: Final = (
    "When they are enabled, you can link a provider such as GitHub or an OIDC provider here, to simplify login and "
    "identity verification."
)
_NO_PROVIDER: Final = "The administrator has not added a provider yet."


class ProviderRow(Field):
    """One provider, the identity that is bound there, and the button that binds or unbinds it."""

    def __init__(self, binding: BindingInfo) -> None:
        self.slug = binding.provider.slug
        self.action = "bind"
        """The action that the row offers."""
        self._line = Static("", markup=False, classes="state")
        self._button = ActionButton("Bind", name=self.slug, shortcut="b")
        super().__init__(sanitize(binding.provider.name, 24), self._line, self._button, classes="security-row")

    def show_binding(self, binding: BindingInfo, now: datetime, *, limit: str = "") -> None:
        """Show the identity that is bound, or that none is. With a `limit` it is bound somewhere else."""
        is_bound = binding.binding_id is not None
        verb, key = ("Unbind", "d") if is_bound else ("Bind", "b")
        if is_bound:
            used = f", used {ago(binding.last_used_at, now)}" if binding.last_used_at else ", never used"
            display, since = sanitize(binding.display, 40), f"bound {ago(binding.bound_at, now)}{used}"
            if binding.bound_at is None:
                since = "bound"
            self._line.update(state_chip(State.ON, display, since))
            self.about = f"{display} signs in to your account: {since}. Unbind it when you no longer use it."
        else:
            self._line.update(state_chip(State.OFF, "not bound"))
            self.about = f"Sign in with your identity at {self.label} instead of your password. {_HOW}"
        self.consequence = "Your other sessions are signed out."
        self.action = verb.lower()
        self.help = f"{verb} your identity at {self.label}."
        button = self._button
        if limit:
            self.action = self.consequence = self.help = ""
            self.about = limit
            button.display = False
        button.set_classes(verb.lower())
        button.add_class("field-beside")
        button.label, button.shortcut = Content(verb), key
        button.refresh(layout=True)

    def focus_button(self) -> None:
        self._button.focus()


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
        return self.account.capabilities.no_binding or self.HELP_TEXT

    def _sentence(self, overview: BindingOverview) -> str:
        limit = self.account.capabilities.no_binding
        return limit if limit and overview.enabled else _sentence(overview)

    def reload(self) -> None:
        self.load()

    @work(exclusive=True, group="load")
    async def load(self) -> None:
        overview = await self.run_with_reauth(self.account.bindings)
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
        for row, binding in zip(rows, shown, strict=True):
            row.show_binding(binding, self.account.now(), limit=self.account.capabilities.no_binding)
        self.refresh_bindings()
        self.query_one("#binding-state", Static).update(self._sentence(overview))
        section.state = _section_state(overview)
        for panel in self.screen.query(HelpLine):
            panel.read_again()

    def offers(self, action: str) -> bool:
        return any(row.action == action for row in self.query(ProviderRow))

    def focus_control(self, _control: str) -> None:
        for row in [row for row in self.query(ProviderRow) if row.action][:1]:
            row.focus_button()

    # -- actions ---------------------------------------------------------------------------------------------

    def action_bind(self) -> None:
        self._act_on_row(is_bound=False)

    def action_unbind(self) -> None:
        self._act_on_row(is_bound=True)

    def _act_on_row(self, *, is_bound: bool) -> None:
        """Bind or unbind at the provider of the focused row. If none has the focus, the first such row gets it."""
        rows = {row.slug: row for row in self.query(ProviderRow)}
        shown = [each for each in self._listed if each.provider.slug in rows]
        able = [each for each in shown if (each.binding_id is not None) == is_bound]
        for binding in able:
            if rows[binding.provider.slug].has_focus_within:
                self._press(binding)
                return
        for binding in able[:1]:
            rows[binding.provider.slug].focus_button()

    @on(Button.Pressed)
    def button_pressed(self, event: Button.Pressed) -> None:
        for binding in self._listed:
            if binding.provider.slug == event.button.name:
                self._press(binding)

    def _press(self, binding: BindingInfo) -> None:
        self._say("")
        if binding.binding_id is None:
            self.run_exclusive(partial(self._bind, binding.provider.slug))
        else:
            self.run_exclusive(partial(self._unbind, binding))

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
                self._said("The identity was bound. Other sessions were signed out.")
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
                self._said("The identity was unbound. Other sessions were signed out.")
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


def _sentence(overview: BindingOverview) -> str:
    if not overview.enabled:
        return f"{BindingsDisabled.sentence}\n\n{_LATER}"
    return _HOW if overview.bindings else f"{_NO_PROVIDER}\n\n{_LATER}"


def _section_state(overview: BindingOverview) -> Content:
    if not overview.enabled:
        return state_chip(State.OFF, "disabled by the administrator")
    if not overview.bindings:
        return state_chip(State.OFF, "none yet")
    bound = sum(binding.binding_id is not None for binding in overview.bindings)
    words = f"{bound} of {len(overview.bindings)} bound · the second factor is still asked"
    return Content.styled(words, "not bold $foreground-muted")
