"""`gatekey admin activity`: the audit events of the site."""

import argparse
import json
from typing import Final

from tui.commands import streams
from tui.commands.parsing import Commands, whole_number
from tui.store_location import Options, open_account_store

MAX_LISTED_EVENTS: Final = 100_000
MAX_EVENT_NUMBER: Final = 2**63 - 1
"""The largest value of the database column."""

DESCRIPTION = """\
List what was done to the site, newest first: switches, prices, identity providers,
locks and unlocks, deleted accounts, new keys and restored backups, each with the
system's user who did it. What was done to one account stands in that account's own
activity."""


def add(commands: Commands) -> None:
    parser = commands.add_parser("activity", help="list what was done to the site", description=DESCRIPTION)
    parser.add_argument(
        "--limit",
        metavar="N",
        type=whole_number(1, MAX_LISTED_EVENTS),
        default=50,
        help="events to list (default: %(default)s)",
    )
    parser.add_argument(
        "--before", metavar="N", type=whole_number(1, MAX_EVENT_NUMBER), help="only events with a number below N"
    )
    parser.add_argument("--json", action="store_true", help="as one JSON document")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, options: Options) -> int:
    with open_account_store(options, create=False) as store, store.database.read() as tx:
        events = store.audit.site_page(tx, before=arguments.before, limit=arguments.limit)
    if arguments.json:
        streams.print_json(
            [
                {
                    "number": event.sequence,
                    "at": event.at.isoformat(),
                    "what": event.tag,
                    "actor": event.actor,
                    "source": event.source,
                    "detail": dict(event.detail),
                }
                for event in events
            ]
        )
        return 0
    rows = [
        (
            event.sequence,
            f"{event.at:%Y-%m-%d %H:%M:%S}",
            event.tag,
            event.actor,
            " ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in event.detail.items()),
        )
        for event in events
    ]
    streams.print_table(("NO", "TIME (UTC)", "WHAT", "BY", "DETAIL"), rows)
    return 0
