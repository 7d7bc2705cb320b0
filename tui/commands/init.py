"""`gatekey init`: asks what an administrator has to decide, and writes it through the rules of the store."""

import argparse
import os
from typing import TYPE_CHECKING, Final

from store.text import fold
from tui.commands import streams
from tui.commands.parsing import Commands
from tui.store_location import DATABASE_VARIABLE, Options

if TYPE_CHECKING:
    from tui.commands.init_plan import Administrator, Plan

DESCRIPTION: Final = """\
Set up a gateway, or look through what was set up: the place of the data, the first
administrator, the public address, the model server, mail and SSH. Nothing is written
until all is answered and confirmed. It can be run again at any time: each question
then shows what is stored, and Enter keeps it.

With --yes nothing is asked, and what the options say is written. A secret is no option:
gatekey admin site set KEY --value-stdin."""
UNCHANGED: Final = "Nothing was changed."
_INTRODUCTION: Final = """\
Gatekey is set up here, question by question. Enter takes what stands in
brackets, and - leaves it empty. Nothing is written before the end: Ctrl+C
leaves no trace."""


def add(commands: Commands) -> None:
    parser = commands.add_parser("init", help="set up a gateway, question by question", description=DESCRIPTION)
    script = parser.add_argument_group("without questions")
    script.add_argument("--yes", action="store_true", help="ask nothing, and write what these options say")
    script.add_argument("--admin", metavar="NAME", help="the first administrator; standard input has the password")
    script.add_argument("--email", metavar="ADDRESS", help="the administrator's address")
    script.add_argument(
        "--set", metavar="KEY=VALUE", action="append", default=[], help="a switch of the site; repeatable"
    )
    parser.set_defaults(run=run, parser=parser)


def run(arguments: argparse.Namespace, options: Options) -> int:
    from tui.commands.init_plan import next_steps

    if not arguments.yes and (arguments.admin or arguments.email or arguments.set):
        arguments.parser.error("--admin, --email and --set belong to --yes, which asks nothing")
    if not arguments.yes and not streams.is_terminal():
        arguments.parser.error("gatekey init asks questions, and nobody can be asked here: see --yes in --help")
    over_ssh = False
    if arguments.yes:
        plan = _told(arguments, options)
    else:
        try:
            plan, over_ssh, is_agreed = _asked(options)
        except (EOFError, KeyboardInterrupt) as end:
            streams.print_status("")
            streams.print_status(UNCHANGED)
            if isinstance(end, EOFError):
                return 1
            raise
        if not is_agreed:
            streams.print_status(UNCHANGED)
            return 1
    if plan.is_empty:
        streams.print_status("All stays as it is.")
    else:
        plan.write()
        streams.print_status("It is written.")
    streams.print_status("")
    is_named = plan.options.database not in (None, os.environ.get(DATABASE_VARIABLE))
    for line in next_steps(plan, is_named=is_named, over_ssh=over_ssh):
        streams.print_status(line)
    return 0


def _asked(options: Options) -> "tuple[Plan, bool, bool]":
    """The plan of a person, whether people come in over SSH, and whether to write it. Raises EOFError."""
    from tui.commands import init_topics
    from tui.commands.init_interview import Interview
    from tui.commands.init_plan import Plan

    for line in _INTRODUCTION.splitlines():
        streams.print_status(line)
    options, state = init_topics.data(options)
    ask = Interview(state.stored, state.secrets)
    administrator = None if state.has_administrator else init_topics.administrator(ask, state)
    init_topics.public_address(ask)
    init_topics.model_server(ask)
    init_topics.mail(ask)
    over_ssh = init_topics.ssh(ask)
    plan = Plan(options, state.is_new, administrator, ask.changes, state.stored)
    return plan, over_ssh, plan.is_empty or init_topics.agree_to(ask, plan)


def _told(arguments: argparse.Namespace, options: Options) -> "Plan":
    """The plan of a script. Raises `InvalidInput`, and SystemExit for options that do not fit."""
    from store.errors import InvalidSetting
    from store.site_switches import find
    from tui.commands.init_interview import Interview
    from tui.commands.init_plan import Plan
    from tui.commands.init_state import state_of

    if (arguments.admin is None) != (arguments.email is None):
        arguments.parser.error("--admin and --email belong together")
    state = state_of(options)
    if state.is_new and arguments.admin is None:
        arguments.parser.error("there is no database yet: name the first administrator with --admin and --email")
    ask = Interview(state.stored, state.secrets)
    for word in arguments.set:
        name, equals, text = word.partition("=")
        if not equals:
            arguments.parser.error("--set takes KEY=VALUE")
        if find(name).is_secret:
            raise InvalidSetting(f"{name} is a secret: gatekey admin site set {name} --value-stdin", field=name)
        ask.note(name, text)
    administrator = None
    if arguments.admin is not None and state.has_administrator:
        streams.print_status("There is an administrator already; --admin is passed over.")
    elif arguments.admin is not None and (there := state.names.get(fold(arguments.admin))):
        administrator = _promoted(there, state.emails[there], arguments.email)
    elif arguments.admin is not None:
        administrator = _administrator(arguments)
    return Plan(options, state.is_new, administrator, ask.changes, state.stored)


def _promoted(name: str, stored: str, email: str) -> "Administrator":
    """The account that is there, if its address is the one that was named: its name alone may be a stranger's."""
    from store.errors import InvalidInput
    from tui.commands.init_plan import Administrator

    if stored != email:
        raise InvalidInput(
            f"There is an account {name} already, and its e-mail address is not the one of --email. If it is the right "
            f"account, this makes it an administrator: gatekey admin user role {name} admin",
            field="email",
        )
    streams.print_status(f"There is an account {name} already; it becomes an administrator.")
    return Administrator(name)


def _administrator(arguments: argparse.Namespace) -> "Administrator":
    from store import inputs, passwords
    from tui.commands.init_plan import Administrator

    name, email = inputs.check_name(arguments.admin), inputs.check_email(arguments.email)
    password = passwords.prepare(streams.read_secret("password", confirm=True))
    passwords.check_new(password, (name, email), field="password")
    return Administrator(name, email, password)
