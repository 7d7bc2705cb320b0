"""Account Binding: the identity providers, and the identities that are bound."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Button, Static

from screens.account_modal import Notice
from screens.relative_time import ago
from screens.settings.pane import Pane
from store.errors import BindingsDisabled
from store.text import sanitize
from tui.widgets.action_button import ActionButton
from tui.widgets.confirm import Confirm
from tui.widgets.field import Field

if TYPE_CHECKING:
    from store.errors import GatekeyError
    from store.values.bindings import BindingInfo
    from tui.account import BindingOverview


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
        yield Static("Account Binding", classes="section-title")
        yield Static("…", id="binding-state", markup=False, classes="dialog-body")
        yield Vertical(id="providers")
        yield Notice()

    def reload(self) -> None:
        self.load()

    @work(exclusive=True, group="load")
    async def load(self) -> None:
        overview = await self.run_with_reauth(self.account.bindings)
        if overview is not None:
            await self.show_overview(overview.value)

    async def show_overview(self, overview: BindingOverview) -> None:
        self._listed = overview.bindings
        bound = [binding for binding in overview.bindings if binding.binding_id is not None]
        shown = overview.bindings if overview.enabled else tuple(bound)
        self.query_one("#binding-state", Static).update(_sentence(overview))
        rows = self.query_one("#providers", Vertical)
        focused = next((button.name for button in rows.query(Button) if button.has_focus), None)
        with self.app.batch_update():
            await rows.remove_children()
            await rows.mount_all([self._row(binding, enabled=overview.enabled) for binding in shown])
            for button in rows.query(Button):
                if button.name == focused:
                    button.focus()

    def _row(self, binding: BindingInfo, *, enabled: bool) -> Field:
        provider, now = binding.provider, self.account.now()
        if binding.binding_id is None:
            state, button = "not bound", "Bind"
        else:
            used = f", used {ago(binding.last_used_at, now)}" if binding.last_used_at else ""
            state = f"{sanitize(binding.display, 40)} · bound {ago(binding.bound_at, now)}{used}"
            button = "Unbind"
        return Field(
            sanitize(provider.name, 24),
            Static(state, markup=False, classes="state"),
            ActionButton(button, name=provider.slug, classes=button.lower(), disabled=not enabled and button == "Bind"),
            classes="security-row",
            help=f"{button} your identity at this provider.",
        )

    def focus_control(self, _control: str) -> None:
        for button in list(self.query(Button))[:1]:
            button.focus()

    @on(Button.Pressed, ".bind")
    def bind_pressed(self, event: Button.Pressed) -> None:
        slug = event.button.name or ""
        self.run_exclusive(lambda: self._bind(slug))

    @on(Button.Pressed, ".unbind")
    def unbind_pressed(self, event: Button.Pressed) -> None:
        for binding in self._listed:
            if binding.provider.slug == event.button.name:
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
                self._say("The identity was bound. Other sessions were signed out.", "good")
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
                self._say("The identity was unbound. Other sessions were signed out.", "good")
            self._changed()

    def _changed(self) -> None:
        self.reload()
        self.tell_console()

    def _say(self, sentence: str, kind: str = "bad") -> None:
        self.query_one(Notice).say(sentence, kind)

    def show_failure(self, error: GatekeyError) -> None:
        self._say(f"{error.title}. {error}")


def _sentence(overview: BindingOverview) -> str:
    if not overview.enabled:
        return (
            f"{BindingsDisabled.sentence}\n\nWhen they are enabled, you can link a provider such as GitHub or an OIDC "
            "provider here, to simplify login and identity verification."
        )
    if not overview.bindings:
        return "The administrator has not added a provider yet."
    return "Link a provider to sign in with it. Your second factor is still asked for."
