"""`gatekey account 2fa`: enables the second factor in its three steps, renews backup codes, disables it."""

from functools import partial
from typing import TYPE_CHECKING

from store.errors import NotAuthentic, PasswordNeeded
from tui.commands import streams
from tui.commands.account_action import Conversation, add_action, add_topic, iso
from tui.commands.confirmation import UNCHANGED
from tui.commands.parsing import Commands

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from store.values.two_factor import Enrolment


def add(actions: Commands) -> None:
    topic = add_topic(actions, "2fa", "two-factor authentication: enable, renew backup codes, disable")
    add_action(topic, "enable", enable_two_factor, "enable two-factor authentication, in three steps")
    add_action(topic, "codes", renew_codes, "make new backup codes in the place of the old ones, and print them")
    add_action(topic, "disable", disable_two_factor, "disable two-factor authentication")


async def enable_two_factor(talk: Conversation) -> int:
    enrolment = await talk.proved(talk.account.begin_two_factor)
    _print_enrolment(talk, enrolment)
    streams.print_status("Step 2 of 3: save the backup codes. Then enter one of them; it stays unused.")
    await _repeat(talk, "Backup code", talk.account.confirm_codes_saved)
    streams.print_status("Step 3 of 3: verify that the app shows codes for this account.")
    await _repeat(talk, "Code from your authenticator app", talk.account.complete_two_factor)
    streams.print_status("Two-factor authentication is on. Every other session has ended.")
    return 0


async def renew_codes(talk: Conversation) -> int:
    codes = await talk.proved(talk.account.renew_backup_codes)
    talk.show({"backup_codes": list(codes)}, *codes)
    streams.print_status("Save these codes: they are shown once, and the old ones are refused from now on.")
    return 0


async def disable_two_factor(talk: Conversation) -> int:
    if not talk.prompts.agree("Signing in will need the password only. Type yes to disable two-factor authentication:"):
        streams.print_status(UNCHANGED)
        return 1
    try:
        await talk.proved(talk.account.disable_two_factor)
    except PasswordNeeded as error:
        if not talk.password:
            streams.print_status(f"{error}")
        password = talk.password or talk.prompts.secret("password")
        await talk.proved(lambda: talk.account.disable_two_factor(password))
    talk.show({"enabled": False})
    streams.print_status("Two-factor authentication is off. Every other session has ended.")
    return 0


def _print_enrolment(talk: Conversation, enrolment: "Enrolment") -> None:
    """Print the secret, its address and the backup codes. They are shown this once."""
    streams.print_status("Step 1 of 3: add this key to your authenticator app, by its address or by hand.")
    document = {
        "secret": enrolment.secret,
        "uri": enrolment.uri,
        "backup_codes": list(enrolment.codes),
        "expires_at": iso(enrolment.expires_at),
    }
    talk.show(
        document,
        f"Key: {' '.join(enrolment.secret_groups)}",
        f"Address: {enrolment.uri}",
        "Backup codes, each good for one sign-in:",
        *enrolment.codes,
    )
    streams.flush()


async def _repeat(talk: Conversation, what: str, check: "Callable[[str], Awaitable[object]]") -> None:
    """Ask for a code until `check` accepts it; without a terminal, once. Raises what `check` raises."""
    while True:
        code = talk.prompts.line(what)
        try:
            await talk.proved(partial(check, code))
        except NotAuthentic as error:
            if not talk.prompts.are_interactive:
                raise
            streams.print_status(f"{error}")
        else:
            return
