"""`gatekey restore`: replaces the database by a backup."""

import argparse
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from store.text import pluralize, sanitize
from tui.commands import streams
from tui.commands.actor import actor
from tui.commands.parsing import Commands
from tui.store_location import KEY_VARIABLE, Options, database_url, key_path

if TYPE_CHECKING:
    from store.at_rest import KeyRing

DESCRIPTION = """\
Verify the backup FILE and put it in the place of the database: all of it, or nothing
is changed. A database that holds data is replaced only with --replace; an SQLite file
is then kept beside the new one, under the name that is said.

It needs the key that the backup was made under. If there is no key file and the
backup has the key in it, the key file is written. Everybody signs in anew afterwards.
A console or a server that has the SQLite file open has to be ended first."""


def add(commands: Commands) -> None:
    parser = commands.add_parser("restore", help="put a backup in the place of the database", description=DESCRIPTION)
    parser.add_argument("file", metavar="FILE", type=Path)
    parser.add_argument("--replace", action="store_true", help="replace a database that holds data")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, options: Options) -> int:
    from store import restore
    from store.clock import SystemClock

    ring, new_key_file = _keys(arguments.file, options)
    done = restore.restore(
        arguments.file,
        database_url(options, os.environ),
        ring,
        replace=arguments.replace,
        actor=actor(),
        clock=SystemClock(),
        ready=partial(_write_key, new_key_file, ring),
    )
    rows = done.manifest.rows
    streams.print_status(
        sanitize(f"Restored {pluralize(rows['accounts'], 'account')}, as they were at {done.manifest.made_at}.")
    )
    streams.print_status("Everybody signs in anew.")
    if done.replaced is not None:
        streams.print_status("The database that was there is now:")
        streams.print_path(done.replaced)
    if not done.is_audit_intact:
        streams.print_status("The audit log in it does not fit. See: gatekey admin verify-audit")
    return 0


def _keys(backup: Path, options: Options) -> "tuple[KeyRing, Path | None]":
    """The keys of the backup, and the key file to write if the keys come from the backup."""
    from store import backup_file
    from store.at_rest import KeyRing
    from store.errors import KeyMissing
    from store.key_file import load_key_file

    path = key_path(options, os.environ)
    if path is None:
        return KeyRing.parse(os.environ[KEY_VARIABLE]), None
    if os.path.lexists(path):
        return load_key_file(path), None
    with backup_file.open_backup(backup) as (_, sealed):
        if sealed.key is None:
            raise KeyMissing(
                f"There is no key file {path}, and the backup has no key in it. Point --key-file at the key that the "
                "backup was made under."
            )
        return KeyRing.parse(sealed.key), path


def _write_key(path: Path | None, ring: "KeyRing") -> None:
    from store.key_file import key_not_written, write_key_file

    if path is not None:
        write_key_file(path, ring, refusal=key_not_written)
        streams.print_status(f"Wrote the key of the backup to {path}.")
