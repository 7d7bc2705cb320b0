"""`gatekey admin upgrade`: copies the database, then upgrades its schema."""

import argparse
import os
from pathlib import Path

from tui.commands import streams
from tui.commands.parsing import Commands
from tui.store_location import Options, database_url, key_ring, new_files, open_unchecked

DESCRIPTION = """\
Bring the database to the schema of this version, in one transaction.

An SQLite file is first copied beside itself, or into --backup-to; where the copy
lies is printed on standard output. PostgreSQL is not copied: make a dump with
pg_dump, then say --without-backup."""


def add(commands: Commands) -> None:
    parser = commands.add_parser("upgrade", help="upgrade the database, after a backup", description=DESCRIPTION)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--backup-to", metavar="FOLDER", type=Path, help="the folder for the copy")
    where.add_argument("--without-backup", action="store_true", help="upgrade without a copy")
    parser.set_defaults(run=run, parser=parser)


def run(arguments: argparse.Namespace, options: Options) -> int:
    from contextlib import closing

    from store import schema
    from store.clock import SystemClock
    from store.errors import SchemaTooOld

    with closing(open_unchecked(options)) as database:
        try:
            with database.read() as tx:
                schema.check(tx)
        except SchemaTooOld:
            pass
        else:
            streams.print_status("The database has the schema of this version already. Nothing was changed.")
            return 0
        if not arguments.without_backup:
            folder = arguments.backup_to or (database.path.parent if database.path else Path())
            create = new_files(options).create if arguments.backup_to else None
            copy = schema.back_up(database, folder, SystemClock().now(), create)
            if copy is None:
                arguments.parser.error("Gatekey cannot copy PostgreSQL: use pg_dump, then say --without-backup")
            else:
                streams.print_status("Copied the database to:")
                streams.print_path(copy)
        schema.upgrade(database, lambda: key_ring(options, os.environ, database_url(options, os.environ), create=False))
    streams.print_status("Upgraded the database.")
    return 0
