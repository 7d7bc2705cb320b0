"""`gatekey backup`: copies everything into one file."""

import argparse
from pathlib import Path

from store.text import pluralize
from tui.commands import streams
from tui.commands.parsing import Commands
from tui.store_location import Options, new_files, open_account_store

DESCRIPTION = """\
Copy everything that is stored into FILE, which must not exist yet and is readable by
you alone. Others may go on meanwhile: the backup is of one moment. The file is the
same for SQLite and PostgreSQL, and can be restored into either.

The stored secrets in it are sealed, and the key is not in it: keep a copy of the key
file elsewhere. With --with-key the key is in it too, and whoever has FILE has
everything."""


def add(commands: Commands) -> None:
    parser = commands.add_parser("backup", help="copy everything into one file", description=DESCRIPTION)
    parser.add_argument("file", metavar="FILE", type=Path)
    parser.add_argument("--with-key", action="store_true", help="put the key into the file as well")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, options: Options) -> int:
    from store import backup

    with open_account_store(options, create=False) as store:
        path = new_files(options).create(arguments.file)
        try:
            manifest = backup.write(store.context, path, with_key=arguments.with_key)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    rows = sum(manifest.rows.values())
    accounts = pluralize(manifest.rows["accounts"], "account")
    streams.print_status(f"Copied {accounts}, {rows} rows in all (SHA-256 {manifest.sha256}), to:")
    streams.print_path(path)
    if arguments.with_key:
        streams.print_status("The key is in it: whoever has this file has everything.")
    return 0
