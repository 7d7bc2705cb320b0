"""`gatekey import`: carries an account of another gateway into one that is here."""

import argparse
from typing import TYPE_CHECKING, Final

from tui.commands import streams
from tui.commands.account_option import add_user, user_of
from tui.commands.actor import actor
from tui.commands.parsing import Commands, Parser
from tui.store_location import Options, open_account_store

if TYPE_CHECKING:
    from store.values.account_import import ForeignAccount, ImportReport
    from tui.remote_account import RemoteAccount

NEW_API: Final = """\
Carry your account on a New API server into an account that is here: e-mail address,
warning threshold and channel, the switches for models without a price and for
recorded addresses, the sidebar, the names of the API keys, and the prices of models.
Each part is told on a line: carried, the same, or left out and why. All of it is
written at once, or nothing. Nothing is changed on the server, and running it again
does no harm. --dry-run tells the same, and writes nothing.

Prices are those of your group there; here they hold for every account. One that is
set here already stays, and one that is not exact in millionths of a dollar is left out.

The keys themselves stay on the server. --make-keys makes a new key for each name,
with the same limits, and writes it to standard output, once.

The session is the one that `gatekey server add URL` has kept; the account here is
made before: gatekey admin user add NAME --email ADDRESS."""
_WHOSE: Final = "account takes it in"
_NO_SERVER: Final = "say from which server: --server URL"


def add(commands: Commands) -> None:
    parser = commands.add_parser("import", help="carry an account of another gateway into one that is here")
    actions = parser.add_subparsers(metavar="FROM", required=True)
    new_api = actions.add_parser("new-api", help="from the account on a New API server that --server names")
    new_api.description = NEW_API
    add_user(new_api, _WHOSE)
    new_api.add_argument("--make-keys", action="store_true", help="make a new API key for each name")
    new_api.add_argument("--dry-run", action="store_true", help="tell what would be carried, and write nothing")
    new_api.add_argument("--json", action="store_true", help="as one JSON document")
    new_api.set_defaults(run=run_new_api, parser=new_api)


def run_new_api(arguments: argparse.Namespace, options: Options) -> int:
    from tui.commands.on_server import on_server

    parser: Parser = arguments.parser
    name = user_of(arguments, _WHOSE)
    if options.server is None:
        parser.error(_NO_SERVER)

    async def read(account: "RemoteAccount") -> "tuple[str, ForeignAccount]":
        return account.server, await account.foreign_account()

    with open_account_store(options, create=False) as store:
        found = store.accounts.find(name)  # before a server is asked
        server, foreign = on_server(options, read)
        carry = store.account_import.preview if arguments.dry_run else store.account_import.write
        report = carry(found.name, foreign, makes_keys=arguments.make_keys, actor=actor())
    return _print(arguments, found.name, server, report)


def _print(arguments: argparse.Namespace, name: str, server: str, report: "ImportReport") -> int:
    from store.values.account_import import Fate

    if arguments.json:
        parts = [{"what": line.what, "result": line.fate.value, "detail": line.detail} for line in report.lines]
        made = [{"name": one.name, "key": one.key} for one in report.made]
        streams.print_json({"user": name, "server": server, "parts": parts, "keys": made, "dry_run": arguments.dry_run})
        return 0
    streams.print_table(("PART", "", ""), [(line.what, line.fate.value, line.detail) for line in report.lines])
    if report.made:
        streams.print_data()
        streams.print_table(("NAME", "NEW KEY, SHOWN ONCE"), [(one.name, one.key) for one in report.made])
    carried = sum(line.fate is Fate.CARRIED for line in report.lines)
    left = sum(line.fate is Fate.LEFT for line in report.lines)
    figures = f"{carried} carried, {left} left out."
    if arguments.dry_run:
        streams.print_status(f"Nothing was written. From {server} into {name} it would be: {figures}")
    else:
        streams.print_status(f"Imported into {name} from {server}: {figures}")
    return 0
