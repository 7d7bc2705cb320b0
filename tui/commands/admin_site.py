"""`gatekey admin site`: the switches of the site."""

import argparse

from tui.commands import streams, values
from tui.commands.actor import actor
from tui.commands.parsing import Commands
from tui.store_location import Options, open_account_store


def add(commands: Commands) -> None:
    parser = commands.add_parser("site", help="show and change the switches that hold for everyone")
    actions = parser.add_subparsers(metavar="ACTION", required=True)

    show = actions.add_parser("show", help="show every switch")
    show.add_argument("--json", action="store_true", help="as one JSON document")
    show.set_defaults(run=run_show)

    set_ = actions.add_parser("set", help="set a switch")
    set_.late_epilog = _switch_list
    set_.add_argument("key", metavar="KEY")
    values.add(set_)
    set_.set_defaults(run=run_set, parser=set_)

    unset = actions.add_parser("unset", help="put a switch back to its default")
    unset.add_argument("key", metavar="KEY")
    unset.set_defaults(run=run_unset)


def run_show(arguments: argparse.Namespace, options: Options) -> int:
    with open_account_store(options, create=False) as store:
        entries = store.site.show()
    shown: dict[str, values.Shown] = {
        entry.name: {"is_set": entry.is_set, "hint": ""}
        if entry.is_secret
        else list(entry.value)
        if isinstance(entry.value, tuple)
        else entry.value
        for entry in entries
    }
    if arguments.json:
        streams.print_json(shown)
        return 0
    for name, value in shown.items():
        streams.print_data(f"{name} = {values.in_words(value)}".rstrip())
    return 0


def run_set(arguments: argparse.Namespace, options: Options) -> int:
    from store.site_switches import find

    switch = find(arguments.key)
    typed = values.read(arguments, switch.name, is_secret=switch.is_secret)
    with open_account_store(options, create=False) as store:
        value = store.site.set(switch.name, typed, actor=actor())
    shown = "a new secret" if switch.is_secret else values.in_words(value)
    streams.print_status(f"Set {switch.name} to {shown}.")
    return 0


def run_unset(arguments: argparse.Namespace, options: Options) -> int:
    from store.site_switches import find

    switch = find(arguments.key)
    with open_account_store(options, create=False) as store:
        store.site.unset(switch.name, actor=actor())
    shown = "nothing" if switch.is_secret else values.in_words(switch.default) or "nothing"
    streams.print_status(f"Put {switch.name} back to its default: {shown}.")
    return 0


def _switch_list() -> str:
    from store.site_switches import SWITCHES

    width = max(len(name) for name in SWITCHES)
    lines = [f"  {name.ljust(width)}  {switch.expects}" for name, switch in SWITCHES.items()]
    return "\n".join(["switches:", *lines, "", "A secret is read from standard input (--value-stdin)."])
