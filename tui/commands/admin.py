"""`gatekey admin`: the commands of an administrator, a module for each subject."""

from importlib import import_module
from typing import Final

from tui.commands.parsing import Commands

DESCRIPTION: Final = """\
Administer accounts, money, prices and the site's switches.

The authority is the database file and its key: whoever may read and write them is
the administrator here, and no password is asked. Each act on an account is recorded
in its audit log under the name of the system's user."""

THINGS: Final = (
    "user",
    "ssh-key",
    "quota",
    "code",
    "price",
    "site",
    "provider",
    "upgrade",
    "audit",
    "activity",
    "vacuum",
    "rekey",
)


def add(commands: Commands) -> None:
    parser = commands.add_parser("admin", help="administer accounts and the site", description=DESCRIPTION)
    things = parser.add_subparsers(title="what to administer", metavar="COMMAND", required=True)
    for name in THINGS:
        import_module(f"tui.commands.admin_{name.replace('-', '_')}").add(things)
