"""The rows of Account Binding: an identity provider, and the e-mail address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.content import Content

from screens.relative_time import ago
from store.text import sanitize
from tui.widgets.action_button import ActionButton
from tui.widgets.state import State, state_chip
from tui.widgets.state_row import StateRow

if TYPE_CHECKING:
    from datetime import datetime

    from store.values.bindings import BindingInfo
    from tui.account import BoundEmail, Capabilities

HOW: Final = (
    "Binding shows an address and a short code; open it in any browser, on any device.\n"
    "Bound identities are never linked by e-mail address, and no provider token is kept."
)
EMAIL: Final = "email"
_ENDS_SESSIONS: Final = "Your other sessions are signed out."
_EMAIL: Final = "The address is a name to sign in with, and warnings go there unless you set another."


def how(can: Capabilities) -> str:
    """The course of a binding."""
    return f"{can.no_device_login}\n{can.bindings_skip_second_factor}".strip() if can.no_device_login else HOW


class BindingRow(StateRow):
    """A row with the bound identity or address, and the button that binds or unbinds it."""

    def __init__(self, label: str, name: str) -> None:
        self.action = "bind"
        """The action that the row offers; empty if none."""
        self._button = ActionButton("Bind", name=name, shortcut="b")
        super().__init__(label, self._button, state=Content(""))

    def focus_button(self) -> None:
        self._button.focus()

    def _offer(self, verb: str, key: str, *, limit: str) -> None:
        """Offer one act. With a `limit` the row offers none, and says why."""
        button = self._button
        button.display = not limit
        if limit:
            self.action = self.consequence = self.help = ""
            self.about = limit
        button.set_classes(self.action)
        button.add_class("field-beside")
        button.label, button.shortcut = Content(verb), key
        button.refresh(layout=True)


class ProviderRow(BindingRow):
    """One provider, and the identity that is bound there."""

    def __init__(self, binding: BindingInfo) -> None:
        self.slug = binding.provider.slug
        super().__init__(sanitize(binding.provider.name, 24), self.slug)

    def show_binding(self, binding: BindingInfo, now: datetime, can: Capabilities) -> None:
        """Show the identity that is bound, or that none is."""
        is_bound = binding.binding_id is not None
        verb, key = ("Unbind", "d") if is_bound else ("Bind", "b")
        limit = can.no_binding or binding.limit
        if is_bound:
            used = f", used {ago(binding.last_used_at, now)}" if binding.last_used_at else ", never used"
            display, since = sanitize(binding.display, 40), f"bound {ago(binding.bound_at, now)}{used}"
            if binding.bound_at is None:
                since = "bound"
            self.state = state_chip(State.ON, display, since)
            self.about = f"{display} signs in to your account: {since}. Unbind it when you no longer use it."
        else:
            self.state = state_chip(State.OFF, "not bound", binding.limit)
            self.about = f"Sign in with your identity at {self.label} instead of your password. {how(can)}"
        self.consequence = can.bindings_end_no_session or _ENDS_SESSIONS
        self.action = verb.lower()
        self.help = f"{verb} your identity at {self.label}."
        self._offer(verb, key, limit=limit)


class EmailRow(BindingRow):
    """The e-mail address, where a code binds it."""

    def __init__(self) -> None:
        super().__init__("E-mail", "")
        self.address = ""

    def show_email(self, email: BoundEmail) -> None:
        self.address = email.address
        chip = State.ON if email.address else State.OFF
        self.state = state_chip(chip, sanitize(email.address, 60) or "not bound", email.limit)
        self.about, self.consequence = _EMAIL, "The address before it is replaced." if email.address else ""
        self.action = "bind"
        self.help = "Bind another address with a code." if email.address else "Bind an address with a code."
        self._offer("Change" if email.address else "Bind", "b", limit=email.limit)
