"""`gatekey keys`: lists, creates and changes the API keys of an account."""

import argparse
from typing import TYPE_CHECKING, Any, Final

from tui.commands import streams
from tui.commands.account_option import add_user
from tui.commands.command_account import account_of
from tui.commands.confirmation import add_confirmation, is_confirmed
from tui.commands.parsing import Commands, Parser, Run
from tui.store_location import Options

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from store.values.api_keys import ApiKeyInfo, ApiKeyLimits, NewApiKey
    from tui.commands.command_account import CommandAccount

DESCRIPTION: Final = """\
List, create and change the API keys of one account. A change holds from the next
request on. A new key is written to standard output, once: only its hash is kept.

Like `gatekey settings`, this works on the database itself: whoever may read and
write its file and the key needs no password. Every act is recorded in the account's
activity with the system's user."""
_WHOSE: Final = "API keys"
_LIMITS: Final = """\
limits:
  --expires   a number of days from now, or a date or time in UTC: 30, 2027-01-31
  --limit     dollars, after which calls with the key are refused: 5.00
  --reset     when the limit begins anew (UTC; a week begins on Monday)
  --models    exact names of the models that it may call, parted by commas
  --networks  addresses or networks that it may be used from: 10.0.0.0/24,2001:db8::/32
  --rate      requests per minute
An empty value, such as --limit "", takes a limit away."""
_PERIODS: Final = ("never", "daily", "weekly", "monthly")


def add(commands: Commands) -> None:
    parser = commands.add_parser("keys", help="list, create and change an account's API keys")
    parser.description = DESCRIPTION
    add_user(parser, _WHOSE)
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    listing = _add(actions, "list", run_list, "list the keys, newest first")
    listing.add_argument("--hide-revoked", action="store_true", help="leave out revoked keys")
    create = _add(actions, "create", run_create, "create a key, and write it to standard output")
    create.add_argument("name", metavar="NAME", help="what tells the key apart from others")
    _add_limits(create)
    edit = _add(actions, "edit", run_edit, "change the name or the limits of a key")
    _add_key(edit)
    edit.add_argument("--name", metavar="NAME", help="the new name")
    _add_limits(edit)
    rotate = _add(actions, "rotate", run_rotate, "make a new secret for a key, and write it to standard output")
    _add_key(rotate)
    rotate.add_argument(
        "--overlap", metavar="TIME", default="", help="how long the old key works: minutes, or 12h, 7d (default: 0)"
    )
    add_confirmation(rotate)
    for name, run, help_text in (
        ("disable", run_disable, "refuse a key until it is enabled again"),
        ("enable", run_enable, "accept a disabled key again"),
    ):
        _add_key(_add(actions, name, run, help_text))
    revoke = _add(actions, "revoke", run_revoke, "refuse a key for ever")
    _add_key(revoke)
    add_confirmation(revoke)


def _add(actions: Commands, name: str, run: Run, help_text: str) -> Parser:
    parser = actions.add_parser(name, help=help_text)
    add_user(parser, _WHOSE)
    parser.add_argument("--json", action="store_true", help="as one JSON document")
    parser.set_defaults(run=run, parser=parser)
    return parser


def _add_key(parser: Parser) -> None:
    parser.add_argument("key", metavar="KEY", help="the key's number in the list, or its name if it has it alone")


def _add_limits(parser: Parser) -> None:
    parser.epilog = _LIMITS
    parser.add_argument("--expires", metavar="WHEN", help="when the key expires")
    parser.add_argument("--limit", metavar="USD", help="the spend limit")
    parser.add_argument("--reset", choices=_PERIODS, help="when the spend limit begins anew")
    parser.add_argument("--models", metavar="NAMES", help="the models that it may call")
    parser.add_argument("--networks", metavar="NETWORKS", help="where it may be used from")
    parser.add_argument("--rate", metavar="N", help="requests per minute")


def run_list(arguments: argparse.Namespace, options: Options) -> int:
    with account_of(arguments, options, _WHOSE) as account:
        with account.reading() as (tx, account_id):
            keys = account.store.api_keys.acts.list(tx, account_id, with_revoked=not arguments.hide_revoked)
        now = account.store.context.now()
    return print_keys(arguments, account.name, keys, now)


def print_keys(arguments: argparse.Namespace, name: str, keys: "Sequence[ApiKeyInfo]", now: "datetime") -> int:
    """Print the keys of the account `name`; returns the exit status."""
    if arguments.json:
        from store.key_documents import key_document

        streams.print_json({"user": name, "keys": [key_document(key, now) for key in keys]})
        return 0
    rows = [_row(key, now) for key in keys]
    streams.print_table(("NO", "NAME", "KEY", "STATE", "SPENT, USD", "LIMIT", "EXPIRES", "LAST USED", "FROM"), rows)
    return 0


def run_create(arguments: argparse.Namespace, options: Options) -> int:
    from store.values.api_keys import ApiKeyLimits

    with account_of(arguments, options, _WHOSE) as account:
        store = account.store
        limits = read_limits(arguments, ApiKeyLimits(), store.context.now())
        with account.changing_keys() as (tx, by):
            made = store.api_keys.acts.create(tx, by, arguments.name, limits)
        now = store.context.now()
    return print_secret(arguments, made, f"Created {made.info.name}. Keep the key: it is shown once.", now)


def run_edit(arguments: argparse.Namespace, options: Options) -> int:
    with account_of(arguments, options, _WHOSE) as account:
        store = account.store
        with account.changing_keys() as (tx, by):
            acts = store.api_keys.acts
            key = find_key(acts.list(tx, by.account_id), arguments.key, account.hint("keys list"))
            limits = read_limits(arguments, key.limits, store.context.now())
            saved = acts.edit(tx, by, key.id, key.name if arguments.name is None else arguments.name, limits)
        now = store.context.now()
    return print_changed(arguments, saved, f"Saved: {saved.name}.", now)


def run_rotate(arguments: argparse.Namespace, options: Options) -> int:
    from store.key_limit_texts import parse_overlap

    opened, minutes = account_of(arguments, options, _WHOSE), parse_overlap(arguments.overlap)
    with opened as account:
        store, key = account.store, _read(account, arguments.key)
        question = f"The old key of {key.name} stops working now. Type yes to rotate it:"
        if not minutes and not is_confirmed(arguments, question):
            return 1
        with account.changing_keys() as (tx, by):
            made = store.api_keys.acts.rotate(tx, by, key.id, overlap_minutes=minutes)
        now = store.context.now()
    until = made.info.previous_expires_at
    old = "The old key works no longer." if until is None else f"The old key works until {until:%Y-%m-%d %H:%M} UTC."
    return print_secret(arguments, made, f"Rotated {made.info.name}. Keep the key: it is shown once. {old}", now)


def run_disable(arguments: argparse.Namespace, options: Options) -> int:
    return _switch(arguments, options, on=False)


def run_enable(arguments: argparse.Namespace, options: Options) -> int:
    return _switch(arguments, options, on=True)


def run_revoke(arguments: argparse.Namespace, options: Options) -> int:
    with account_of(arguments, options, _WHOSE) as account:
        store, key = account.store, _read(account, arguments.key)
        question = f"{key.name} (sk-…{key.last_four}) is refused for ever. Type yes to revoke it:"
        if not is_confirmed(arguments, question):
            return 1
        with account.changing_keys() as (tx, by):
            store.api_keys.acts.revoke(tx, by, key.id)
            gone = store.api_keys.acts.read(tx, by.account_id, key.id)
        now = store.context.now()
    return print_changed(arguments, gone, f"Revoked {gone.name}.", now)


def _switch(arguments: argparse.Namespace, options: Options, *, on: bool) -> int:
    with account_of(arguments, options, _WHOSE) as account:
        with account.changing_keys() as (tx, by):
            acts = account.store.api_keys.acts
            key = find_key(acts.list(tx, by.account_id), arguments.key, account.hint("keys list"))
            changed = (acts.enable if on else acts.disable)(tx, by, key.id)
        now = account.store.context.now()
    return print_changed(arguments, changed, f"{'Enabled' if on else 'Disabled'} {changed.name}.", now)


def _read(account: "CommandAccount", wanted: str) -> "ApiKeyInfo":
    with account.reading() as (tx, account_id):
        return find_key(account.store.api_keys.acts.list(tx, account_id), wanted, account.hint("keys list"))


def find_key(keys: "list[ApiKeyInfo]", wanted: str, list_command: str) -> "ApiKeyInfo":
    """The key of that number, or the only one of that name that is not revoked. Raises `NoSuchItem`, `InvalidLabel`."""
    from store.errors import InvalidLabel, NoSuchItem
    from store.text import sanitize

    by_number = [key for key in keys if str(key.id) == wanted]
    named = by_number or [key for key in keys if key.name == wanted and key.revoked_at is None]
    if not named:
        raise NoSuchItem(f"There is no API key {sanitize(wanted, 64)}. `{list_command}` lists them.")
    if len(named) > 1:
        numbers = ", ".join(str(key.id) for key in named)
        raise InvalidLabel(f"{len(named)} keys are called {sanitize(wanted, 64)}. Name one by its number: {numbers}.")
    return named[0]


def read_limits(arguments: argparse.Namespace, before: "ApiKeyLimits", now: "datetime") -> "ApiKeyLimits":
    """`before` with the limits that were given."""
    from dataclasses import replace

    from store.key_limit_texts import parse_expiry, parse_models, parse_networks, parse_rate, parse_spend_limit
    from store.values.api_keys import LimitPeriod

    given: dict[str, Any] = {}
    if arguments.expires is not None:
        given["expires_at"] = parse_expiry(arguments.expires, now)
    if arguments.limit is not None:
        given["spend_limit_micro_usd"] = parse_spend_limit(arguments.limit)
    if arguments.reset is not None:
        given["limit_period"] = tuple(LimitPeriod)[_PERIODS.index(arguments.reset)]
    if arguments.models is not None:
        given["allowed_models"] = parse_models(arguments.models)
    if arguments.networks is not None:
        given["allowed_networks"] = parse_networks(arguments.networks)
    if arguments.rate is not None:
        given["requests_per_minute"] = parse_rate(arguments.rate)
    return replace(before, **given)


def print_secret(arguments: argparse.Namespace, made: "NewApiKey", sentence: str, now: "datetime") -> int:
    """Print a new key; returns the exit status."""
    if arguments.json:
        from store.key_documents import key_document

        streams.print_json({**key_document(made.info, now), "key": made.key})
    else:
        streams.print_data(made.key)
    streams.print_status(sentence)
    return 0


def print_changed(arguments: argparse.Namespace, key: "ApiKeyInfo", sentence: str, now: "datetime") -> int:
    """Print a key that was changed; returns the exit status."""
    if arguments.json:
        from store.key_documents import key_document

        streams.print_json(key_document(key, now))
    streams.print_status(sentence)
    return 0


def _row(key: "ApiKeyInfo", now: "datetime") -> tuple[object, ...]:
    from store.money import type_usd

    limit, expiry, used = key.spend_limit_micro_usd, key.expires_at, key.last_used_at
    period = "" if key.limits.limit_period.value == "none" else f" {key.limits.limit_period.value}"
    return (
        key.id,
        key.name,
        f"sk-…{key.last_four}",
        key.state(now).value,
        type_usd(key.spent_micro_usd),
        "none" if limit is None else type_usd(limit) + period,
        "never" if expiry is None else f"{expiry:%Y-%m-%d %H:%M}",
        "never" if used is None else f"{used:%Y-%m-%d %H:%M}",
        key.last_used_ip or "",
    )
