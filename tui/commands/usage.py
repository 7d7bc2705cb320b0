"""`gatekey usage`: the calls of an account, their totals, and their export."""

import argparse
import os
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from store.values.usage import Kind, LoggedEntry, UsageFilter, UsageTotal
from tui.commands import streams
from tui.commands.account_option import add_user
from tui.commands.command_account import account_of
from tui.commands.parsing import Commands, Parser, Run, whole_number
from tui.commands.row_export import add_export_options, export_rows
from tui.store_location import Options

DESCRIPTION: Final = """\
List the calls of an account, their totals by model or API key, or write them into a
file. Like `gatekey settings`, this works on the database itself: whoever may read
and write its file and the key needs no password."""
EXPORT: Final = """\
Write the calls that match into a new file that only you can read, newest first. The
file is complete, or it is not there. `--output -` writes to standard output."""
_WHOSE: Final = "usage"
_MAX_LISTED: Final = 500
_MAX_ID: Final = 2**63 - 1
_MAX_DAYS: Final = 366


def add(commands: Commands) -> None:
    parser = commands.add_parser("usage", help="list, total or export the calls of an account", description=DESCRIPTION)
    add_user(parser, _WHOSE)
    actions = parser.add_subparsers(metavar="ACTION", required=True)

    listed = _add(actions, "list", run_list, "list calls, newest first")
    _add_filters(listed)
    listed.add_argument("--json", action="store_true", help="as one JSON document")
    listed.add_argument(
        "--limit",
        metavar="N",
        type=whole_number(1, _MAX_LISTED),
        default=50,
        help="calls to list (default: %(default)s)",
    )
    listed.add_argument("--before", metavar="ID", type=whole_number(1, _MAX_ID), help="only calls older than this one")

    totals = _add(actions, "totals", run_totals, "add up calls, tokens and cost by model or API key")
    totals.add_argument("--by", choices=("model", "key"), default="model", help="default: %(default)s")
    totals.add_argument(
        "--days",
        metavar="N",
        type=whole_number(1, _MAX_DAYS),
        default=30,
        help="the last N days, UTC (default: %(default)s)",
    )
    totals.add_argument("--json", action="store_true", help="as one JSON document")

    export = _add(actions, "export", run_export, "write calls into a file")
    export.description = EXPORT
    _add_filters(export)
    add_export_options(export)


def _add(actions: Commands, name: str, run: Run, help_text: str) -> Parser:
    parser = actions.add_parser(name, help=help_text)
    add_user(parser, _WHOSE)
    parser.set_defaults(run=run, parser=parser)
    return parser


def _add_filters(parser: Parser) -> None:
    shown = parser.add_argument_group("which calls")
    shown.add_argument("--kind", choices=("call", "error", "image", "task"))
    for name, what in (
        ("model", "to this model"),
        ("key", "with the API key of this name"),
        ("status", "that ended so"),
    ):
        help_text = f"only calls {what}; may be given several times"
        shown.add_argument(f"--{name}", metavar="NAME", action="append", default=[], help=help_text)
    shown.add_argument("--ip", metavar="ADDRESS", help="only calls from this client address")
    times = "2026-11-23, 13:00, 24h, 7d, today"
    shown.add_argument("--since", metavar="WHEN", help=f"only calls from then on: {times}")
    shown.add_argument("--until", metavar="WHEN", help="only calls before then; a day is included")


def read_filter(arguments: argparse.Namespace, now: datetime) -> UsageFilter:
    """The filter of the options. Times of day are in the zone of TZ. Raises SystemExit for what cannot be read."""
    from ipaddress import ip_address

    from store.usage_words import KIND_WORDS
    from tui.moments import NotAMomentError, read_moment
    from tui.zones import local_zone

    parser: Parser = arguments.parser
    now = now.astimezone(local_zone(os.environ))
    moments = []
    for name in ("since", "until"):
        typed: str | None = getattr(arguments, name)
        try:
            moments.append(None if typed is None else read_moment(typed, now, is_end=name == "until"))
        except NotAMomentError as error:
            parser.error(f"--{name} {typed!r}: {error}")
    since, until = moments
    if since is not None and until is not None and until <= since:
        parser.error("--until is before --since")
    if arguments.ip is not None:
        try:
            ip_address(arguments.ip)
        except ValueError:
            parser.error(f"--ip {arguments.ip!r}: enter an IP address such as 203.0.113.7")
    kinds: dict[str, Kind] = {word: kind for kind, word in KIND_WORDS.items()}
    return UsageFilter(
        kind=None if arguments.kind is None else kinds[arguments.kind],
        models=tuple(arguments.model),
        keys=tuple(arguments.key),
        statuses=tuple(arguments.status),
        ip=arguments.ip,
        since=since,
        until=until,
    )


def run_list(arguments: argparse.Namespace, options: Options) -> int:
    with account_of(arguments, options, _WHOSE) as account:
        only = read_filter(arguments, account.store.context.now())
        found: list[LoggedEntry] = []
        before: int | None = arguments.before
        while True:
            # A page of several filters may be short although another follows.
            with account.reading() as (tx, account_id):
                limit = arguments.limit - len(found)
                page = account.store.usage.page_of(tx, account_id, only, before=before, limit=limit)
            found += page.entries
            before = page.next_before
            if before is None or len(found) == arguments.limit:
                break
    return print_calls(arguments, found, before)


def print_calls(arguments: argparse.Namespace, found: "Sequence[LoggedEntry]", before: int | None) -> int:
    """Print calls, and where older ones begin; returns the exit status."""
    from store.export_rows import call_row
    from store.money import show_amount
    from store.usage_words import KIND_WORDS

    if arguments.json:
        streams.print_json({"entries": [call_row(logged) for logged in found], "next_before": before})
        return 0
    costs = [show_amount(logged.entry.cost_micro_usd) for logged in found]
    tokens = [(f"{logged.entry.prompt_tokens:,}", f"{logged.entry.completion_tokens:,}") for logged in found]
    widths = [max(map(len, column), default=0) for column in (costs, *zip(*tokens, strict=True))] or [0]
    rows = [
        (
            logged.id,
            f"{logged.at:%Y-%m-%d %H:%M:%S}",
            KIND_WORDS[logged.entry.kind],
            logged.entry.model,
            tokens_in.rjust(widths[1]),
            tokens_out.rjust(widths[2]),
            cost.rjust(widths[0]),
            logged.entry.api_key_name,
            logged.entry.client_ip or "not recorded",
            f"{logged.entry.duration_ms:,} ms",
            logged.entry.status,
        )
        for logged, cost, (tokens_in, tokens_out) in zip(found, costs, tokens, strict=True)
    ]
    heads = ("ID", "TIME (UTC)", "KIND", "MODEL", "IN", "OUT", "COST, USD", "KEY", "CLIENT IP", "TOOK", "STATUS")
    streams.print_table(heads, rows)
    if before is not None:
        streams.print_status(f"Older calls: --before {before}")
    return 0


def run_totals(arguments: argparse.Namespace, options: Options) -> int:
    with account_of(arguments, options, _WHOSE) as account, account.reading() as (tx, account_id):
        totals = account.store.totals.totals_of(tx, account_id, arguments.days, by=arguments.by)
    return print_totals(arguments, totals)


def print_totals(arguments: argparse.Namespace, totals: Sequence[UsageTotal], *, counts_errors: bool = True) -> int:
    """Print totals; returns the exit status. Without `counts_errors`, nobody has counted them."""
    from store.money import show_amount, type_usd

    if arguments.json:
        streams.print_json(
            {
                "days": arguments.days,
                "by": arguments.by,
                "totals": [
                    {
                        "name": total.name,
                        "names": total.names,
                        "calls": total.calls,
                        "errors": total.errors if counts_errors else None,
                        "tokens": total.tokens,
                        "cost_usd": type_usd(total.cost_micro_usd),
                    }
                    for total in totals
                ],
            }
        )
        return 0
    figures = [
        (
            f"{total.calls:,}",
            f"{total.errors:,}" if counts_errors else "not told",
            f"{total.tokens:,}",
            show_amount(total.cost_micro_usd),
        )
        for total in totals
    ]
    heads = ("CALLS", "ERRORS", "TOKENS", "COST, USD")
    widths = [max(map(len, column)) for column in zip(heads, *figures, strict=True)]
    rows = [
        (_name_of(total), *(figure.rjust(width) for figure, width in zip(line, widths, strict=True)))
        for total, line in zip(totals, figures, strict=True)
    ]
    aligned = (head.rjust(width) for head, width in zip(heads, widths, strict=True))
    streams.print_table((arguments.by.upper(), *aligned), rows)
    return 0


def _name_of(total: UsageTotal) -> str:
    return f"({total.names:,} others)" if total.names > 1 else total.name or "(none)"


def run_export(arguments: argparse.Namespace, options: Options) -> int:
    with account_of(arguments, options, _WHOSE) as account:
        only = read_filter(arguments, account.store.context.now())
        return export_rows(arguments, options, "call", lambda form, told: account.usage_pieces(form, only, told))
