"""`gatekey admin ssh-key`: the SSH keys of an account, which open its console."""

import argparse
from pathlib import Path
from typing import Final

from tui.commands import streams
from tui.commands.actor import actor
from tui.commands.confirmation import add_confirmation, is_confirmed
from tui.commands.parsing import Commands, add_account_action, whole_number
from tui.public_key_file import read_public_key
from tui.store_location import Options, open_account_store

ADD_DESCRIPTION: Final = """\
Add an SSH public key to an account. Whoever has its private half opens the console
of the account without the password; a second factor is still asked for. FILE is
the one whose name ends in .pub; without FILE the key is read from standard input."""

_MAX_ID: Final = 2**63 - 1


def add(commands: Commands) -> None:
    parser = commands.add_parser("ssh-key", help="add, list and remove the SSH keys of an account")
    actions = parser.add_subparsers(metavar="ACTION", required=True)

    new = actions.add_parser("add", help="add a public key", description=ADD_DESCRIPTION)
    new.add_argument("name", metavar="NAME")
    new.add_argument("file", metavar="FILE", nargs="?", type=Path)
    new.add_argument("--label", metavar="TEXT", default="", help="the name of the key (default: its comment)")
    new.set_defaults(run=run_add)

    listing = add_account_action(actions, "list", run_list, "list the SSH keys of an account")
    listing.add_argument("--json", action="store_true", help="as one JSON document")

    remove = add_account_action(actions, "remove", run_remove, "remove a key; every session of the account ends")
    remove.add_argument("number", metavar="NUMBER", type=whole_number(1, _MAX_ID))
    add_confirmation(remove)


def run_add(arguments: argparse.Namespace, options: Options) -> int:
    from store import ssh_public_keys

    text = _text(arguments.file, options)
    ssh_public_keys.parse(text)
    with open_account_store(options, create=False) as store:
        name = store.accounts.find(arguments.name).name
        added = store.ssh_keys.add_for(name, text, arguments.label, actor=actor())
    streams.print_status(f"Added the SSH key {added.name} ({added.algorithm}, {added.fingerprint}) to {name}.")
    return 0


def run_list(arguments: argparse.Namespace, options: Options) -> int:
    with open_account_store(options, create=False) as store:
        keys = store.ssh_keys.list_of(arguments.name)
    if arguments.json:
        streams.print_json(
            [
                {
                    "number": key.id,
                    "name": key.name,
                    "algorithm": key.algorithm,
                    "fingerprint": key.fingerprint,
                    "added_at": key.added_at.isoformat(),
                    "last_used_at": key.last_used_at and key.last_used_at.isoformat(),
                    "last_used_from": key.last_used_from or None,
                }
                for key in keys
            ]
        )
        return 0
    rows = [
        (
            key.id,
            key.name,
            key.algorithm,
            key.fingerprint,
            f"{key.added_at:%Y-%m-%d}",
            "never" if key.last_used_at is None else f"{key.last_used_at:%Y-%m-%d}",
            key.last_used_from,
        )
        for key in keys
    ]
    streams.print_table(("NO", "NAME", "ALGORITHM", "FINGERPRINT", "ADDED", "LAST USED", "FROM"), rows)
    return 0


def run_remove(arguments: argparse.Namespace, options: Options) -> int:
    from store.errors import NoSuchItem

    with open_account_store(options, create=False) as store:
        name = store.accounts.find(arguments.name).name
        key = next((key for key in store.ssh_keys.list_of(name) if key.id == arguments.number), None)
        if key is None:
            raise NoSuchItem(f"{name} has no SSH key {arguments.number}. List them: gatekey admin ssh-key list {name}")
        question = f"Remove the SSH key {key.name} ({key.fingerprint}) of {name}? Every session of the account ends."
        if not is_confirmed(arguments, f"{question} Type yes to go on:"):
            return 1
        store.ssh_keys.remove_for(name, key.id, actor=actor())
    streams.print_status(f"Removed the SSH key {key.name} of {name}. Every session of the account has ended.")
    return 0


def _text(file: Path | None, options: Options) -> str:
    """The text of a public key, from a file or standard input. Raises `FilesOff`, `InvalidSshKey`, `InvalidInput`."""
    from store.errors import FilesOff

    if file is None or str(file) == "-":
        return streams.read_line("public key")
    if options.no_files:
        raise FilesOff("The administrator has switched files off here (--no-files). Send the key on standard input.")
    return read_public_key(file)
