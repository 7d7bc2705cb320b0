"""`gatekey admin rekey`: seals every stored secret under a new key."""

import argparse
import os
import time

from store.text import pluralize
from tui.commands import streams
from tui.commands.actor import actor
from tui.commands.parsing import Commands
from tui.store_location import KEY_VARIABLE, Options, key_path, open_account_store

DESCRIPTION = """\
Make a new key, seal every stored secret and the audit log under it, and take the old
key out of the key file. Others may go on meanwhile: they read the key file anew.

If it is stopped, by whatever, run it again: it goes on where it was. Until it is done
the key file holds both keys, and nothing becomes unreadable. Backups made before need
the old key: keep a copy of the key file with them. Where several machines use one
database, end Gatekey on the others first, and give them the new key file afterwards."""


def add(commands: Commands) -> None:
    parser = commands.add_parser("rekey", help="make a new key for everything that is sealed", description=DESCRIPTION)
    parser.set_defaults(run=run)


def run(_arguments: argparse.Namespace, options: Options) -> int:
    from store.errors import KeyMissing
    from store.rekey import rekey

    path = key_path(options, os.environ)
    if path is None:
        raise KeyMissing(
            f"The key comes from {KEY_VARIABLE}, where it cannot be replaced. Write it to a file of mode 0600, point "
            "--key-file at that, and run this again."
        )
    with open_account_store(options, create=False) as store:
        done = rekey(store, path, actor=actor(), wait=time.sleep, say=streams.print_status)
    sealed = f"{pluralize(done.values, 'secret')} and {pluralize(done.chains, 'chain')}"
    streams.print_status(f"Sealed {sealed} of the audit log under key {done.key_id}.")
    if done.unreadable:
        streams.print_status(
            f"{done.unreadable} stored secrets could not be opened before either. They were left as they were."
        )
    streams.print_status(f"The old key is no longer in {path}. Backups made before need it.")
    return 0
