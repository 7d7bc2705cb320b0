"""`gatekey notify`: sends the pending notifications, for a timer on a machine without a server."""

import argparse

from store.text import sanitize
from tui.commands import streams
from tui.commands.parsing import Commands
from tui.store_location import Options, open_account_store

DESCRIPTION = """\
Send every notification that is due, once, and say how many were delivered.
`gatekey serve` does this by itself; without it, run this from a timer. The status
is 1 if one could not be delivered; each of those is told on standard error."""


def add(commands: Commands) -> None:
    parser = commands.add_parser("notify", help="send the notifications that wait", description=DESCRIPTION)
    parser.add_argument("--once", action="store_true", required=True, help="send what is due now, then end")
    parser.set_defaults(run=run)


def run(_arguments: argparse.Namespace, options: Options) -> int:
    with open_account_store(options, create=False) as store:
        from gateway.dispatcher import run_once

        done = run_once(store)
    streams.print_data(str(done.delivered))
    for attempt in done.failed:
        following = attempt.next_attempt_at
        then = f"The next try is at {following:%Y-%m-%d %H:%M} UTC." if following else "It was given up."
        streams.print_status(sanitize(f"{attempt.channel} ({attempt.kind}): {attempt.sentence} {then}"))
    return 1 if done.failed else 0
