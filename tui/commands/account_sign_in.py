"""The sign-in and the end of one `gatekey account` command."""

import argparse
import asyncio
from typing import TYPE_CHECKING, Final

from store.errors import NotAuthentic, PasskeyRefused
from tui.commands import streams
from tui.commands.account_action import Conversation
from tui.commands.account_prompts import Prompts
from tui.store_location import Options, open_account_store

if TYPE_CHECKING:
    from store.values.sign_in import SecondFactorNeeded
    from tui.account import AccountService, DeviceLogin, FoundIdentity, PasskeyPage
    from tui.commands.command_account import CommandSession

TRIES: Final = 3
"""The tries that a person at a terminal has for a code before the command ends."""
CODE_QUESTION: Final = "Code from your authenticator app, or a backup code"
POLL_INTERVAL_S: Final = 1.0


async def run_signed_in(arguments: argparse.Namespace, options: Options) -> int:
    """Sign in, carry out `arguments.act`, and end the session; returns the exit status.

    A session that is there already is used, and left to its owner. Raises the errors of the sign-in and of the action.
    """
    from tui.local_account import LocalAccount

    session: CommandSession | None = getattr(arguments, "session", None)
    if session is not None:
        return await _run_in(session, arguments, options)
    store = await asyncio.to_thread(open_account_store, options, create=False)
    account, prompts = LocalAccount(options, opened=store), Prompts()
    try:
        password = await _sign_in(account, prompts, arguments)
        for notice in (account.sign_in_notice, _codes_left(account)):
            if notice:
                streams.print_status(notice)
        status: int = await arguments.act(Conversation(account, prompts, arguments, password))
        return status
    finally:
        await account.sign_out()
        await account.close()


async def _run_in(session: "CommandSession", arguments: argparse.Namespace, options: Options) -> int:
    from tui.local_account.ssh_account import SshAccount

    account = SshAccount(
        options, session.signed_in, session.announce, opened=session.store, fetch_place=session.fetch_place
    )
    await account.open()
    status: int = await arguments.act(Conversation(account, Prompts(), arguments, ""))
    return status


async def wait_for_browser(account: "AccountService", page: "PasskeyPage") -> None:
    """Say where the passkey page is, and wait until the browser is done there.

    Raises `PasskeyRefused` if it failed or nobody came in time.
    """
    from store.values.passkeys import CeremonyState

    streams.print_status(f"Open this page in a browser: {page.url}")
    streams.print_status(f"Enter this code there: {page.started.code}")
    state = CeremonyState.WAITING
    try:
        # The browser talks to the gateway, which is another process: only the database can be asked.
        while state in (CeremonyState.WAITING, CeremonyState.CLAIMED):
            await asyncio.sleep(POLL_INTERVAL_S)
            state = await account.passkey_outcome(page)
    except asyncio.CancelledError:
        await account.cancel_passkey(page)
        raise
    if state is not CeremonyState.DONE:
        raise PasskeyRefused("The code has expired. Start again for a new one.")


async def wait_for_provider(account: "AccountService", login: "DeviceLogin") -> "FoundIdentity":
    """Say where the provider's page is, and wait for the person's decision there (RFC 8628).

    Raises the errors of `BindingService.wait_for_identity`.
    """
    streams.print_status(f"Open this page in a browser: {login.verification_uri}")
    streams.print_status(f"Enter this code there: {login.user_code}")
    return await account.wait_for_identity(login, on_poll=lambda _: None)


async def _sign_in(account: "AccountService", prompts: Prompts, arguments: argparse.Namespace) -> str:
    """Sign in, in one or two steps; returns the password if it was the first one, else ""."""
    password = ""
    if arguments.passkey:
        page = await account.begin_passkey_sign_in()
        await wait_for_browser(account, page)
        step = await account.finish_passkey_sign_in(page)
    elif arguments.provider:
        login = await account.begin_device_login(arguments.provider)
        step = await account.sign_in_with_identity(await wait_for_provider(account, login))
    else:
        name = arguments.user or prompts.line("user name")
        password = prompts.secret("password")
        step = await account.sign_in(name, password)
    if step is not None:
        await _enter_code(account, prompts, step)
    return password


async def _enter_code(account: "AccountService", prompts: Prompts, step: "SecondFactorNeeded") -> None:
    for left in reversed(range(TRIES)):
        try:
            await account.enter_code(step, prompts.line(CODE_QUESTION))
        except NotAuthentic as error:
            if not left or not prompts.are_interactive:
                raise
            streams.print_status(f"{error}")
        else:
            return


def _codes_left(account: "AccountService") -> str:
    news = account.sign_in_news
    if news is None or news.backup_codes_left is None:
        return ""
    return f"You used a backup code. Unused backup codes: {news.backup_codes_left}."
