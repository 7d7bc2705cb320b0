"""The rows of the Security tab: their words, and the state of each as a chip and in full."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from textual.content import Content

from screens.relative_time import age, ago, clock, until
from store.errors import PasskeysDisabled
from store.text import pluralize
from tui.widgets.state import State, state_chip

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, tzinfo

    from store.values.drawer import DrawerOverview
    from tui.account import Capabilities, SecurityOverview


class Words(NamedTuple):
    """The help line of a row, its purpose in the words of the specification, and its consequence."""

    help: str
    about: str
    consequence: str = ""


_PASSWORD: Final = Words(
    "Rotate it from time to time; never reuse it.",
    "Change the password you sign in with. The original password must match, and the new one is entered twice. "
    "It is recommended to periodically rotate credentials and avoid reusing passwords across services.",
    "Takes effect immediately. Your other sessions are signed out.",
)
_PASSKEYS: Final = Words(
    "Sign in with your device instead of a password.",
    "Passkey Login enables passwordless authentication using device-based cryptographic credentials (WebAuthn).",
    "Reduces phishing risk and credential exposure.",
)
_TWO_FACTOR: Final = Words(
    "A code from your phone as well.",
    "A second factor when you sign in: a 6-digit code that your authenticator app renews every 30 seconds.\n\n"
    "You will  1 scan a QR code   2 save ten backup recovery codes   3 enter one code",
    "Takes about a minute; nothing changes before step 3. Any RFC 6238 app works, such as Google Authenticator or "
    "Microsoft Authenticator.",
)
_SSH_KEYS: Final = Words(
    "Open this console over SSH without the password.",
    "The public keys of your machines. Whoever has the private half of one opens this console over SSH without the "
    "password, and is still asked for a code where two-factor authentication is on.",
    "A key opens the console only: keep a password, a passkey or a binding as well. Removing a key signs out your "
    "other sessions.",
)
_TOKEN: Final = Words(
    "A bearer token for your API. Store it securely, never in client-side code.",
    "For privileged or internal API calls that require user-level authorization. It functions as a bearer token and "
    "grants access to API endpoints associated with your account.",
    "Generating a new token invalidates the previous one. Store it securely; never expose it in client-side code or "
    "public repositories.",
)
_SESSIONS: Final = Words(
    "Where you are signed in.",
    "Every place where you are signed in, and when it was last used.",
    "A session that is ended is out at its next action.",
)
_ACTIVITY: Final = Words(
    "What was done to your account, and from where.",
    "Sign-ins, failed ones too, and every change that protects the account, newest first.",
)
_EXPORT: Final = Words(
    "One JSON file with everything stored about you, without secrets.",
    "One JSON file with everything stored about you, without secrets.",
)
_DRAWER: Final = Words(
    "What you saved here, until you fetch it.",
    "Over SSH, what you save goes to your drawer: encrypted, for one hour. You fetch it from your own machine with scp "
    "or sftp, and it can be fetched once.",
)
_DELETE: Final = Words(
    "Removes everything. It cannot be undone.",
    "All stored data will be permanently deleted. API keys, tokens and billing history will be removed.",
    "The operation cannot be reversed. Ensure all necessary data has been exported before proceeding.",
)
ROWS: Final[Mapping[str, Words]] = {
    "password": _PASSWORD,
    "passkeys": _PASSKEYS,
    "two-factor": _TWO_FACTOR,
    "ssh-keys": _SSH_KEYS,
    "token": _TOKEN,
    "sessions": _SESSIONS,
    "activity": _ACTIVITY,
    "drawer": _DRAWER,
    "export": _EXPORT,
    "delete": _DELETE,
}
"""By the name of the row, from top to bottom."""


class RowState(NamedTuple):
    """The state of a row as a chip, which is cut where it does not fit, and in full sentences."""

    chip: Content
    sentence: str = ""
    is_whole: bool = True
    """False if only the first paragraph of the purpose is for this state."""

    def about(self, words: Words) -> str:
        """The state and the purpose of the row; paragraphs are separated by an empty line."""
        purpose = words.about if self.is_whole else words.about.partition("\n\n")[0]
        return f"{self.sentence}\n\n{purpose}" if self.sentence else purpose


def row_states(
    overview: SecurityOverview, now: datetime, zone: tzinfo, *, files_are_allowed: bool, can: Capabilities
) -> dict[str, RowState]:
    """The state of each row, by its name, as far as the account knows it."""
    rows = {
        "password": _password(overview, now, zone),
        "passkeys": _passkeys(overview, now, has_dates=not can.no_dates),
        "two-factor": _two_factor(overview, zone, has_dates=not can.no_dates),
        "ssh-keys": _ssh_keys(overview, now),
        "token": _token(overview, now, zone, unknown=can.no_token_status),
        "sessions": _sessions(overview),
        "activity": _activity(overview),
        "export": _export(files_are_allowed=files_are_allowed),
        "delete": RowState(Content.styled("permanent, cannot be undone", "$foreground-muted")),
    }
    return rows if overview.drawer is None else rows | {"drawer": _drawer(overview.drawer, now)}


def _export(*, files_are_allowed: bool) -> RowState:
    if files_are_allowed:
        offer = "all that is stored, one file"
    else:
        from screens.save_file import FILES_ARE_OFF

        offer = FILES_ARE_OFF
    return RowState(Content.styled(offer, "$foreground-muted"))


def _drawer(drawer: DrawerOverview, now: datetime) -> RowState:
    if not drawer.items:
        return RowState(state_chip(State.OFF, "empty"), "It is empty.")
    count, first = pluralize(len(drawer.items), "item"), min(item.expires_at for item in drawer.items)
    words = f"gone {until(first, now)}" if len(drawer.items) == 1 else f"the first gone {until(first, now)}"
    return RowState(state_chip(State.ON, count, words), f"{count}, {words}.")


def _password(overview: SecurityOverview, now: datetime, zone: tzinfo) -> RowState:
    changed = overview.password_changed_at
    if overview.has_password and changed is None:
        return RowState(state_chip(State.NEUTRAL, "set"), "There is one. When it was changed last is not known here.")
    if not overview.has_password or changed is None:
        return RowState(
            state_chip(State.OFF, "none", "you sign in without one"), "There is none: you sign in without one."
        )
    return RowState(
        state_chip(State.NEUTRAL, f"changed {ago(changed, now)}"),
        f"Last changed {ago(changed, now)}, on {clock(changed, zone)}.",
    )


def _passkeys(overview: SecurityOverview, now: datetime, *, has_dates: bool) -> RowState:
    if not overview.passkeys_enabled:
        return RowState(state_chip(State.OFF, PasskeysDisabled.sentence))
    if not overview.passkeys:
        return RowState(state_chip(State.OFF, "none"), "None is registered.")
    count, newest = len(overview.passkeys), max(passkey.created_at for passkey in overview.passkeys)
    last = f"{count} registered, the newest {ago(newest, now)}." if has_dates else f"{count} registered."
    if any(passkey.flagged_at for passkey in overview.passkeys):
        return RowState(
            state_chip(State.FAILED, f"{count} registered", "one may be copied"),
            f"{last} One is refused because it may be copied: remove it.",
        )
    return RowState(state_chip(State.ON, f"{count} registered"), last)


def _two_factor(overview: SecurityOverview, zone: tzinfo, *, has_dates: bool) -> RowState:
    status = overview.two_factor
    if status.enabled_at is None:
        return RowState(state_chip(State.ATTENTION, "off", "a password alone is enough"))
    left = f"{status.codes_left} of {status.codes_total} backup codes left"
    advice = " Make new ones soon." if status.codes_are_low else ""
    return RowState(
        state_chip(State.ATTENTION if status.codes_are_low else State.ON, "on", left),
        f"On since {clock(status.enabled_at, zone)}, {left}.{advice}" if has_dates else f"On, {left}.{advice}",
        is_whole=False,
    )


def _ssh_keys(overview: SecurityOverview, now: datetime) -> RowState:
    keys = overview.ssh_keys
    if not keys:
        return RowState(state_chip(State.OFF, "none"), "None is added.")
    count, uses = pluralize(len(keys), "key"), [key.last_used_at for key in keys if key.last_used_at is not None]
    used = f"used {ago(max(uses), now)}" if uses else "never used"
    return RowState(state_chip(State.ON, count, used), f"{count}, {used}.")


def _token(overview: SecurityOverview, now: datetime, zone: tzinfo, *, unknown: str) -> RowState:
    token = overview.access_token
    if token is None and unknown:
        return RowState(state_chip(State.NEUTRAL, unknown), unknown)
    if token is None:
        return RowState(state_chip(State.OFF, "none yet"))
    used = "never used" if token.last_used_at is None else f"used {ago(token.last_used_at, now)}"
    name, words = f"gk_…{token.last_four[:8]}", f"{age(token.created_at, now)}, {used}"
    return RowState(
        state_chip(State.ON, name, words), f"{name}, {words}. Generated on {clock(token.created_at, zone)}."
    )


def _sessions(overview: SecurityOverview) -> RowState:
    others = len(overview.sessions) - 1
    if not others:
        return RowState(state_chip(State.ON, "only this one"), "No other sessions.")
    return RowState(
        state_chip(State.ON, "this one", f"{others} more"), f"This one and {pluralize(others, 'other session')}."
    )


def _activity(overview: SecurityOverview) -> RowState:
    failed = overview.failed_sign_ins
    if not failed:
        return RowState(state_chip(State.NEUTRAL, "no failed sign-ins since yesterday"))
    words = f"{pluralize(failed, 'failed sign-in')} since yesterday"
    return RowState(state_chip(State.FAILED, words), f"{words}. If they were not yours, look where they came from.")
