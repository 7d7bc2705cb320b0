"""`gatekey settings`: shows and changes every setting of an account, for scripts and screen readers."""

import argparse
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from store.text import sanitize
from tui.commands import streams, values
from tui.commands.account_option import add_user
from tui.commands.command_account import account_of
from tui.commands.parsing import Commands
from tui.store_location import Options

DESCRIPTION: Final = """\
Show or change the settings of one account.

This works on the database itself: whoever may read and write its file and the key
may change every account, so no password is asked and no terminal program could
guard it. To keep people apart, give the file to one service user (see README)."""

_WHOSE: Final = "settings"
_STDIN_RULE: Final = "A secret is read from standard input (--value-stdin); an empty VALUE clears it."


def add(commands: Commands) -> None:
    parser = commands.add_parser("settings", help="show or change an account's settings", description=DESCRIPTION)
    add_user(parser, _WHOSE)
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    show = actions.add_parser("show", help="show every setting of the account")
    add_user(show, _WHOSE)
    show.add_argument("--json", action="store_true", help="as one JSON document")
    show.set_defaults(run=run_show, parser=show)
    set_ = actions.add_parser("set", help="change one setting")
    set_.late_epilog = _field_list
    add_user(set_, _WHOSE)
    set_.add_argument("field", metavar="SECTION.FIELD")
    values.add(set_)
    set_.set_defaults(run=run_set, parser=set_)
    confirm = actions.add_parser("confirm-email", help="confirm the notification address with the code sent there")
    add_user(confirm, _WHOSE)
    confirm.add_argument("code", metavar="CODE", nargs="?", help="the code; without it, a new one is sent")
    confirm.set_defaults(run=run_confirm_email, parser=confirm)


def run_show(arguments: argparse.Namespace, options: Options) -> int:
    from store.site_overrides import site_overrides
    from tui.commands.settings_fields import FIELDS

    kinds = {field.section: field.kind for field in FIELDS.values()}
    with account_of(arguments, options, _WHOSE) as account, account.reading() as (tx, account_id):
        store = account.store
        saved = {section: store.settings.read(tx, account_id, kind) for section, kind in kinds.items()}
        unconfirmed = store.email_confirmations.route_of(tx, account_id).unconfirmed
        overrides = {section: site_overrides(store.site, tx, kind) for section, kind in kinds.items()}
    shown = {full_name: field.show(saved[field.section].section) for full_name, field in FIELDS.items()}
    if arguments.json:
        document: dict[str, object] = {"user": account.name}
        for section in kinds:
            fields = {field.name: shown[field.full_name] for field in FIELDS.values() if field.section == section}
            document[section] = {"version": saved[section].version, **fields, "overridden": list(overrides[section])}
        streams.print_json(document)
        return 0
    for full_name, value in shown.items():
        streams.print_data(f"{full_name} = {values.in_words(value)}".rstrip())
    if unconfirmed:
        streams.print_status(f"{sanitize(unconfirmed)} is not confirmed, so no warning goes there yet.")
    for section in kinds:
        _print_overrides(section, overrides[section])
    return 0


def run_set(arguments: argparse.Namespace, options: Options) -> int:
    from store.site_overrides import site_overrides
    from tui.commands.settings_fields import find

    opened = account_of(arguments, options, _WHOSE)
    field = find(arguments.field)
    value = field.read(values.read(arguments, field.full_name, is_secret=field.setting.is_secret))
    with opened as account:
        store = account.store
        saved = account.load_section(field.kind)
        if field.setting.is_secret:
            value = getattr(saved.section, field.setting.name).replaced(value)
        section = replace(saved.section, **{field.setting.name: value})
        saved = account.save_section(section, saved.version)
        with account.reading() as (tx, account_id):
            unconfirmed = store.email_confirmations.route_of(tx, account_id).unconfirmed
            overrides = site_overrides(store.site, tx, field.kind)
    shown = field.show(saved.section)
    streams.print_status(f"Saved for {account.name}: {field.full_name} = {values.in_words(shown)}".rstrip())
    if field.setting.name == "email_address" and unconfirmed:
        streams.print_status(
            f"It is used once it is confirmed. This sends a code there: {account.hint('settings confirm-email')}"
        )
    _print_overrides(field.section, {name: text for name, text in overrides.items() if name == field.setting.name})
    return 0


def run_confirm_email(arguments: argparse.Namespace, options: Options) -> int:
    with account_of(arguments, options, _WHOSE) as account:
        if arguments.code is None:
            address = account.send_email_code()
            streams.print_status(
                f"A code goes to {sanitize(address)} with `gatekey serve`, or with `gatekey notify --once`. "
                f"Within half an hour: {account.hint('settings confirm-email CODE')}"
            )
            if not account.store.site.text("smtp.host"):
                streams.print_status(
                    "No mail server is set, so nothing is sent yet: gatekey admin site set smtp.host HOST"
                )
        else:
            route = account.confirm_email(arguments.code)
            streams.print_status(f"Confirmed: warnings of {account.name} go to {sanitize(route.address)}.")
    return 0


def _print_overrides(section: str, overrides: Mapping[str, str]) -> None:
    for name, rest in overrides.items():
        streams.print_status(f"{section}.{name} {rest}")


def _field_list() -> str:
    from tui.commands.settings_fields import FIELDS

    width = max(len(name) for name in FIELDS)
    lines = [f"  {name.ljust(width)}  {field.setting.summary}" for name, field in FIELDS.items()]
    return "\n".join(["settings:", *lines, "", _STDIN_RULE])
