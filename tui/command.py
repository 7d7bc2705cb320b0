"""The command line: parses, imports only the chosen command, and returns its exit status."""

import os
import sys
from collections.abc import Callable, Collection, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from store.errors import GatekeyError
from tui import start_without_gc
from tui.commands import streams
from tui.store_location import DEBUG_LOG_VARIABLE, Options, files_are_off, forget_files

if TYPE_CHECKING:
    from tui.commands.parsing import Parser
    from tui.ssh_service import ServeSsh

OpenConsole: TypeAlias = Callable[[Options], int]

FAILED: Final = 1
INTERRUPTED: Final = 130
"""128 + SIGINT, as shells count."""
BROKEN_PIPE: Final = 141
"""128 + SIGPIPE."""

COMMANDS: Final = {
    "init": "set up a gateway, question by question",
    "serve": "serve the HTTP API and the model relay",
    "ssh": "serve the console over SSH",
    "account": "your own account, line by line: password, 2FA, sessions, ...",
    "settings": "show or change an account's settings",
    "keys": "list, create and change an account's API keys",
    "usage": "list, total or export the calls of an account",
    "wallet": "show an account's balance and ledger, or redeem a code",
    "admin": "administer accounts and the site",
    "doctor": "check that all is well, a line each",
    "notify": "send the notifications that wait",
    "import": "carry an account of another gateway into one that is here",
    "server": "accounts on New API servers: add, list, remove, use",
    "backup": "copy everything into one file",
    "restore": "put a backup in the place of the database",
    "completion": "print the completion of a shell",
}
"""The help line of each command. Each has a module `tui.commands.NAME` with a function `add(commands)`."""
_MODULES: Final = {"import": "import_account"}
"""The module of a command whose name Python keeps for itself."""

DESCRIPTION: Final = """\
The Settings page of an AI gateway account, in the terminal.

Without a command it opens the console. Data goes to standard output and talk
to standard error; the status is 0 when it was done, 1 when it was refused or
failed, and 2 when the command line was wrong."""


def build_parser(words: Collection[str] = COMMANDS) -> "Parser":
    """The parser of the command line. Of a command that is not among `words` it knows no more than the help line.

    The parsers of all commands together cost several times the start of the interpreter.
    """
    from tui.commands.parsing import Parser, Version

    parser = Parser(prog="gatekey", description=DESCRIPTION)
    parser.add_argument("--version", action=Version, nargs=0, help="show the version and exit")
    parser.add_argument("--demo", action="store_true", help="open the console on a throw-away account in memory")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command")
    for name, help_line in COMMANDS.items():
        if name in words:
            import_module(f"tui.commands.{_MODULES.get(name, name)}").add(commands)
        else:
            commands.add_parser(name, help=help_line)
    return parser


def main(open_console: OpenConsole, serve_ssh: "ServeSsh", arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; argparse ends a wrong command line with status 2 itself.

    `open_console` opens the console and `serve_ssh` serves it over SSH; both return the exit status.
    """
    if arguments is None:
        from tui.terminal import harden_process

        start_without_gc.rest()
        # Any command may hold the key and the secrets that it opens.
        harden_process()
    words = sys.argv[1:] if arguments is None else arguments
    status = exit_status(lambda: _run(open_console, serve_ssh, words))
    if arguments is None:
        from tui.fast_exit import end_process

        end_process(status)
    return status


def exit_status(run: Callable[[], int]) -> int:
    """The exit status of a command, after its output is flushed and what it raised is said in a sentence."""
    try:
        status = run()
        streams.flush()
    except GatekeyError as error:
        streams.print_status(f"gatekey: {error.title}. {error}")
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return BROKEN_PIPE
    except Exception as error:  # noqa: BLE001 - the outermost boundary: no traceback with local variables
        from tui.crash import crash_message

        streams.print_status(f"gatekey: {crash_message(error, _report(error))}")
        return FAILED
    return status


def _run(open_console: OpenConsole, serve_ssh: "ServeSsh", arguments: Sequence[str]) -> int:
    streams.prepare()
    no_files = files_are_off("--no-files" in arguments, os.environ)
    if no_files:
        forget_files(os.environ)
    if set(arguments) <= {"--demo", "--no-files"}:
        # The first picture of the console does not wait for the parser of the commands.
        return open_console(Options(demo="--demo" in arguments, no_files=no_files))
    from tui.commands.parsing import options_from, protect_negatives

    parser = build_parser(arguments)
    parsed = parser.parse_args(protect_negatives(arguments))
    options = options_from(parser, parsed)
    if parsed.command is None:
        if options.server is not None and options.demo:
            parser.error("--demo is an account of this machine: leave out --server")
        return open_console(options)
    if options.demo:
        parser.error("--demo opens the console; it takes no command")
    start_without_gc.resume()
    if options.server is not None:
        from tui.commands import on_server

        return on_server.run(parser, parsed, options)
    parsed.serve_ssh = serve_ssh
    parsed.build_parser = build_parser
    status: int = parsed.run(parsed, options)
    return status


def _report(error: Exception) -> Path | None:
    """Append a crash report to the file that the environment names; returns its path, or None."""
    from datetime import UTC, datetime

    from tui.crash import append_report

    log = os.environ.get(DEBUG_LOG_VARIABLE)
    if not log:
        return None
    try:
        append_report(Path(log), error, datetime.now(UTC))
    except OSError:
        return None
    return Path(log)
