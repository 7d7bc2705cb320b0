"""`gatekey admin vacuum`: removes old versions of deleted rows from the disk."""

import argparse

from tui.commands import streams
from tui.commands.parsing import Commands
from tui.store_location import Options, open_account_store

DESCRIPTION = """\
Take off the disk what the database keeps of rows that were deleted or changed.

PostgreSQL leaves old versions of rows in its files. This writes every table anew, and
each is closed to everybody meanwhile: run it when nobody minds. PostgreSQL's own
write-ahead log and backups keep what they have until they age out. SQLite keeps
nothing of a deleted row; there only its write-ahead log is emptied."""


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "vacuum", help="take off the disk what was deleted from PostgreSQL", description=DESCRIPTION
    )
    parser.set_defaults(run=run)


def run(_arguments: argparse.Namespace, options: Options) -> int:
    from store.vacuum import vacuum

    with open_account_store(options, create=False) as store:
        is_done = vacuum(store.database)
    if is_done:
        streams.print_status("Nothing of deleted rows is left in the database's files.")
        return 0
    streams.print_status(
        "Another program reads the database's log, so it was not emptied. Run this again when it has ended."
    )
    return 1
