"""Security Settings: access token, password, passkeys, SSH keys, second factor, sessions, activity, deletion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual import on, work
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Button, Static

from screens.account_modal import Notice
from screens.settings.security_acts import SecurityActs
from screens.settings.security_limits import limit_of, row_limits, row_words
from screens.settings.security_rows import row_states
from tui.widgets.action_button import ActionButton
from tui.widgets.field import Field
from tui.widgets.help_line import HelpLine
from tui.widgets.section import Section
from tui.widgets.state_row import StateRow

if TYPE_CHECKING:
    from textual.widgets.button import ButtonVariant

    from store.errors import GatekeyError
    from tui.account import SecurityOverview

_LOADING: Final = Content.styled("…", "$text-muted")
_WHAT: Final = "Everything that protects the account."
_PROOF: Final = "Each change asks for your password or a code, unless you gave one within the last five minutes"


class SecurityPane(SecurityActs):
    HELP_TEXT = f"{_WHAT} {_PROOF}, and signs out your other sessions."

    @property
    def purpose(self) -> str:
        can = self.account.capabilities
        if not (can.asks_no_proof or can.other_sessions_stay):
            return self.HELP_TEXT
        return " ".join([_WHAT, can.asks_no_proof or f"{_PROOF}.", can.other_sessions_stay]).strip()

    def compose(self) -> ComposeResult:
        with Section("Password Management"):
            yield self._row("Password", "password", ("Change", "p"))
        with Section("Sign-in"):
            yield self._row("Passkey Login", "passkeys", ("Manage", "y"))
            yield self._row("Two-Factor Authentication", "two-factor", ("Enable", "f"))
            yield self._row("SSH keys", "ssh-keys", ("Add", "h"))
        with Section("Access"):
            yield self._row("System Access Token", "token", ("Revoke", "v", "revoke-token"), ("Generate", "t"))
            yield self._row("Sessions", "sessions", ("Show", "s"), ("Sign out others", "o", "others"))
            yield self._row("Activity", "activity", ("Show", "a"))
            if self.account.files.go_to_drawer:
                yield self._row("Drawer", "drawer", ("Show", "w"))
        with Section("Danger zone", classes="-dangerous"):
            yield self._row("Export your data", "export", ("Export", "e"))
            yield self._row("Delete Account", "delete", ("Delete account", "x"))
        yield Notice()

    def _row(self, label: str, name: str, *buttons: tuple[str, ...]) -> Field:
        """A row with its state; a third item of a button is its name, if that is not the row's."""
        words, limit = row_words(name, self.account.capabilities), self._limits.get(name, "")
        if limit:
            sentence = Static(limit, id=f"{name}-state", markup=False, classes="limit muted")
            return Field(
                label, sentence, id=f"{name}-row", help=words.help, about=words.about, consequence=words.consequence
            )
        return StateRow(
            label,
            *(self._button(*button, *() if len(button) > 2 else (name,)) for button in buttons),
            state=_LOADING,
            id=f"{name}-row",
            help=words.help,
            about=words.about,
            consequence=words.consequence,
        )

    @property
    def _limits(self) -> dict[str, str]:
        """The sentence of each row that has no button, by its name."""
        return row_limits(self.account.capabilities)

    def _button(self, label: str, key: str, name: str) -> ActionButton:
        variant: ButtonVariant = "error" if name == "delete" else "default"
        button = ActionButton(label, id=f"{name}-action", name=name, shortcut=key, variant=variant)
        # There may be no token to revoke, and no file to write.
        button.display = name != "revoke-token" and (name != "export" or self.account.files.are_allowed)
        return button

    # -- showing ---------------------------------------------------------------------------------------------

    def reload(self) -> None:
        self.load_overview()

    @work(exclusive=True, group="load")
    async def load_overview(self) -> None:
        with self.reading():
            overview = await self.fetch(self.account.security)
            if overview is not None:
                self.show_overview(overview.value)

    def show_overview(self, overview: SecurityOverview) -> None:
        """Show the state of the account in the rows, in full in the panel that tells of the focused row."""
        self.overview = overview
        states = row_states(
            overview,
            self.account.now(),
            self.app.zone,
            files_are_allowed=self.account.files.are_allowed,
            can=self.account.capabilities,
        )
        limits, can = self._limits, self.account.capabilities
        for name, state in states.items():
            if name in limits:
                continue
            row = self.query_one(f"#{name}-row", StateRow)
            row.state, row.about = state.chip, state.about(row_words(name, can))
        self._show_buttons(overview)
        for panel in self.screen.query(HelpLine):
            panel.read_again()

    def _show_buttons(self, overview: SecurityOverview) -> None:
        count = len(overview.passkeys)
        self._relabel("password", "Change" if overview.has_password else "Set")
        self._relabel("two-factor", "Manage" if overview.two_factor.is_enabled else "Enable")
        self._relabel("token", "Generate" if overview.access_token is None else "Renew")
        self._relabel("passkeys", "Manage" if count else "Register")
        self._relabel("ssh-keys", "Manage" if overview.ssh_keys else "Add")
        for button in self.query("#passkeys-action").results(Button):
            button.display = overview.passkeys_enabled or bool(count)
        for button in self.query("#others-action").results(Button):
            button.disabled = len(overview.sessions) < 2
        is_revocable = overview.access_token is not None and not self.account.capabilities.no_token_revocation
        for button in self.query("#revoke-token-action").results(Button):
            button.display = is_revocable

    def _relabel(self, name: str, label: str) -> None:
        for button in self.query(f"#{name}-action").results(Button):
            button.label = Content(label)
            button.refresh(layout=True)

    def focus_control(self, control: str) -> None:
        for button in self.query(f"#{control}-action").results(Button):
            button.focus()

    def offers(self, action: str) -> bool:
        is_there = action != "drawer" or self.account.files.go_to_drawer
        return is_there and not limit_of(action, self.account.capabilities)

    # -- actions ---------------------------------------------------------------------------------------------

    @on(Button.Pressed)
    def pressed(self, event: Button.Pressed) -> None:
        name = (event.button.name or "").replace("-", "_")
        match name:
            case "others":
                self.action_sign_out_others()
            case _:
                getattr(self, f"action_{name}")()

    def action_token(self) -> None:
        self._start(self._renew_token)

    def action_revoke_token(self) -> None:
        self._start(self._revoke_token)

    def action_password(self) -> None:
        self._start(self._change_password)

    def action_passkeys(self) -> None:
        self._start(self._manage_passkeys)

    def action_ssh_keys(self) -> None:
        self._start(self._manage_ssh_keys)

    def action_two_factor(self) -> None:
        self._start(self._manage_two_factor)

    def action_sessions(self) -> None:
        self._start(self._show_sessions)

    def action_activity(self) -> None:
        self._start(self._show_activity)

    def action_sign_out_others(self) -> None:
        self._start(self._end_others)

    def action_drawer(self) -> None:
        self._start(self._show_drawer)

    def action_export(self) -> None:
        self._start(self._export)

    def action_delete(self) -> None:
        self._start(self._delete)

    def show_failure(self, error: GatekeyError) -> None:
        self.query_one(Notice).say(f"{error.title}. {error}")
