"""`gatekey account show`, `export` and `delete`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from store.errors import FilesOff
from store.money import show_usd, type_usd
from store.text import pluralize
from tui.commands import streams
from tui.commands.account_action import Conversation, add_action, iso, utc
from tui.commands.parsing import Commands

if TYPE_CHECKING:
    from tui.account import SecurityOverview, Summary

IN_DRAWER: Final = "export.json"
"""The name of the export in the drawer."""


def add(actions: Commands) -> None:
    add_action(actions, "show", show, "show the account at a glance, with what is recommended")
    export = add_action(actions, "export", export_data, "write everything that is stored about you to a new JSON file")
    if export.names_account:
        export.add_argument("file", metavar="FILE", type=Path, help="the path of the new file")
    add_action(actions, "delete", delete, "delete the account and its data, for good")


async def show(talk: Conversation) -> int:
    summary, security = await talk.account.summary(), await talk.account.security()
    talk.show(_document(summary, security), *_lines(summary, security))
    return 0


async def export_data(talk: Conversation) -> int:
    if not talk.account.files.are_allowed:
        raise FilesOff
    if talk.account.files.go_to_drawer:
        return await _export_to_drawer(talk)
    written = await talk.proved(lambda: talk.account.export_to(talk.arguments.file))
    if talk.arguments.json:
        streams.print_json({"file": str(written)})
    else:
        streams.print_path(written)
    streams.print_status("The file holds everything that is stored about you. Only you may read it.")
    return 0


async def _export_to_drawer(talk: Conversation) -> int:
    """Over SSH no file is named."""
    put = await talk.proved(lambda: talk.account.export_to(Path(IN_DRAWER)))
    command = (await talk.account.drawer()).command(put.name)
    talk.show({"name": put.name, "command": command}, command)
    streams.print_status("The export is in your drawer for one hour, encrypted. This command fetches it, once.")
    return 0


async def delete(talk: Conversation) -> int:
    leaves_traces = await talk.account.check_deletable()
    streams.print_status("The account, its settings, keys, logs and balance are deleted for good.")
    if leaves_traces:
        streams.print_status("The server's disk keeps traces of them for a while.")
    typed = talk.prompts.line("Type the name of the account to delete it")
    is_gone = await talk.proved(lambda: talk.account.delete_account(typed))
    talk.show({"deleted": True, "is_off_disk": is_gone})
    streams.print_status("The account is deleted." if is_gone else "The account is deleted; traces remain for a while.")
    return 0


def _document(summary: "Summary", security: "SecurityOverview") -> dict[str, Any]:
    token, factor = security.access_token, summary.two_factor
    return {
        "name": summary.name,
        "email": summary.email or None,
        "balance_usd": type_usd(summary.remaining_micro_usd),
        "quota_warning_threshold_usd": type_usd(summary.threshold_micro_usd),
        "api_keys": summary.active_api_keys,
        "errors_today": summary.errors_today,
        "has_password": security.has_password,
        "password_changed_at": iso(security.password_changed_at),
        "access_token": None if token is None else {"last_four": token.last_four, "created_at": iso(token.created_at)},
        "two_factor": {"enabled": factor.is_enabled, "backup_codes_left": factor.codes_left},
        "passkeys": len(security.passkeys),
        "sessions": len(security.sessions),
        "failed_sign_ins_in_a_day": security.failed_sign_ins,
        "recommendations": [
            {"recommendation": check.title, "is_met": check.is_met, "finding": check.finding}
            for check in summary.checks
        ],
    }


def _lines(summary: "Summary", security: "SecurityOverview") -> list[str]:
    token, factor = security.access_token, summary.two_factor
    codes = f"on, {pluralize(factor.codes_left, 'backup code')} left" if factor.is_enabled else "off"
    ends = "none" if token is None else f"ends in {token.last_four}, made {utc(token.created_at)}"
    changed = f"changed {utc(security.password_changed_at)}" if security.has_password else "none"
    return [
        f"Name: {summary.name}",
        f"E-mail address: {summary.email or 'none'}",
        f"Balance: {show_usd(summary.remaining_micro_usd)}",
        f"Quota warning threshold: {show_usd(summary.threshold_micro_usd)}",
        f"Password: {changed}",
        f"System access token: {ends}",
        f"Two-factor authentication: {codes}",
        f"Passkeys: {len(security.passkeys)}",
        f"Sessions: {len(security.sessions)}",
        f"Failed sign-ins in the last 24 hours: {security.failed_sign_ins}",
        f"API keys that work: {summary.active_api_keys}",
        f"Errors today: {summary.errors_today}",
        *(f"Recommended: {check.title}. {check.finding}" for check in summary.checks if not check.is_met),
    ]
