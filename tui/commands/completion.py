"""`gatekey completion`: the completion of a shell, made from the parser."""

import argparse
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from tui.commands import streams
from tui.commands.parser_tree import arguments_of, commands_of, every_parser
from tui.commands.parsing import Commands
from tui.store_location import Options

if TYPE_CHECKING:
    from tui.commands.parsing import Parser

SHELLS: Final = ("bash", "zsh", "fish")
DESCRIPTION: Final = """\
Print what a shell needs to complete gatekey's commands, options, settings and files.

bash:  gatekey completion bash > ~/.local/share/bash-completion/completions/gatekey
zsh:   gatekey completion zsh > ~/.zfunc/_gatekey
       with fpath=(~/.zfunc $fpath) before compinit in ~/.zshrc
fish:  gatekey completion fish > ~/.config/fish/completions/gatekey.fish

The folder has to be there (mkdir -p). Print it again after an upgrade."""
_FILES: Final = frozenset({"FILE", "URL"})
"""Metavars of arguments that take a file; a database may be one too."""
_FOLDERS: Final = frozenset({"FOLDER"})
_OFFERED: Final = re.compile(r" +([\w-]+):'")
"""A line of the script for zsh that offers a command."""
_ISSUER: Final = "issuer"
"""The argument whose URL is never a file."""


def add(commands: Commands) -> None:
    parser = commands.add_parser("completion", help="print the completion of a shell", description=DESCRIPTION)
    parser.add_argument("shell", choices=SHELLS, metavar="|".join(SHELLS))
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, _options: Options) -> int:
    parser: Parser = arguments.build_parser()
    streams.print_data(script(parser, arguments.shell).rstrip("\n"))
    return 0


def script(parser: "Parser", shell: str) -> str:
    """The completion of `parser`, for one of `SHELLS`. It adds to the parser what shtab completes."""
    import shtab

    names = _names()
    for each in every_parser(parser):
        for command, line in commands_of(each):
            # shtab would show the first line of the description, which ends within a sentence.
            command.description = line
        for argument in arguments_of(each):
            place = (each.prog, argument.dest)
            if place in names:
                argument.choices = names[place]
            elif argument.metavar in _FILES and argument.dest != _ISSUER:
                _complete(argument, shtab.FILE)
            elif argument.metavar in _FOLDERS:
                _complete(argument, shtab.DIRECTORY)
    made = shtab.complete(parser, shell)
    return _with_own_commands(made, parser) if shell == "zsh" else made


def _with_own_commands(made: str, parser: "Parser") -> str:
    """The script for zsh, in which a command offers its own commands only, not theirs as well (shtab 1.13)."""
    for each in every_parser(parser):
        own = {command.prog.rpartition(" ")[2] for command, _ in commands_of(each)}
        head = f"_shtab_{re.sub(r'[^a-zA-Z0-9_]', '_', each.prog)}_commands() {{\n"
        before, found, rest = made.partition(head)
        block, end, after = rest.partition("\n}\n")
        lines = [line for line in block.split("\n") if not (name := _OFFERED.match(line)) or name[1] in own]
        if found:
            made = "".join((before, found, "\n".join(lines), end, after))
    return made


def _complete(argument: Any, how: Mapping[str, object]) -> None:
    argument.complete = how  # the attribute that shtab reads


def _names() -> dict[tuple[str, str], Sequence[str]]:
    """The words that an argument may be, by the parser's name and the argument's."""
    from store.site_switches import SWITCHES
    from tui.commands.settings_fields import FIELDS

    return {
        ("gatekey admin site set", "key"): tuple(SWITCHES),
        ("gatekey admin site unset", "key"): tuple(SWITCHES),
        ("gatekey settings set", "field"): tuple(FIELDS),
    }
