"""`gatekey admin user suspend | resume | delete`."""

import argparse

from tui.commands import streams
from tui.commands.actor import actor
from tui.commands.confirmation import add_confirmation, is_confirmed
from tui.commands.parsing import Commands, add_account_action
from tui.store_location import Options, open_account_store


def add(actions: Commands) -> None:
    suspend_help = "refuse every sign-in, session, token and key of an account"
    add_confirmation(add_account_action(actions, "suspend", run_suspend, suspend_help))
    add_confirmation(add_account_action(actions, "resume", run_resume, "let a suspended account be used again"))
    delete = add_account_action(actions, "delete", run_delete, "delete an account and everything stored about it")
    add_confirmation(delete)
    delete.add_argument(
        "--vacuum",
        action="store_true",
        help="on PostgreSQL, also take old versions of its rows off the disk; every table is closed meanwhile",
    )


def run_suspend(arguments: argparse.Namespace, options: Options) -> int:
    with open_account_store(options, create=False) as store:
        name = store.accounts.find(arguments.name).name
        question = (
            f"Suspend {name}? Its sessions end, and its API keys and System Access Token are refused, until it is "
            "resumed. Type yes to go on:"
        )
        if not is_confirmed(arguments, question):
            return 1
        store.suspension.suspend(name, actor=actor())
    streams.print_status(f"Suspended {name}. To undo this: gatekey admin user resume {name}")
    return 0


def run_resume(arguments: argparse.Namespace, options: Options) -> int:
    with open_account_store(options, create=False) as store:
        name = store.accounts.find(arguments.name).name
        question = f"Resume {name}? Its API keys and System Access Token work again. Type yes to go on:"
        if not is_confirmed(arguments, question):
            return 1
        store.suspension.resume(name, actor=actor())
    streams.print_status(f"Resumed {name}. The sessions it had have ended; signing in works again.")
    return 0


def run_delete(arguments: argparse.Namespace, options: Options) -> int:
    from store.vacuum import vacuum

    with open_account_store(options, create=False) as store:
        name = store.accounts.find(arguments.name).name
        question = (
            f"Delete {name} and everything stored about it? This cannot be reversed. Type the name of the account to "
            "go on:"
        )
        if not is_confirmed(arguments, question, answer=name):
            return 1
        deleted = store.deletion.delete_by_name(name, actor=actor())
        is_off_disk = vacuum(store.database) if arguments.vacuum else deleted.is_off_disk
        is_postgresql = store.database.is_postgresql
    streams.print_status(f"Deleted {name}. Its tombstone is {deleted.tombstone}.")
    if not is_off_disk and is_postgresql:
        streams.print_status(
            "PostgreSQL keeps old versions of its rows on the disk until they are vacuumed. Run: gatekey admin vacuum"
        )
    elif not is_off_disk:
        streams.print_status("Another program still reads the database; the last bytes leave the disk when it is done.")
    return 0
