"""The tree of a parser: its arguments and its commands, for whatever is made from the command line."""

import argparse
from collections.abc import Iterator


def arguments_of(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """The options and positional arguments that the help shows, in its order, without the choice of a command."""
    for action in parser._actions:  # noqa: SLF001 - argparse has no public name for them
        if action.help != argparse.SUPPRESS and not isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - likewise
            yield action


def commands_of(parser: argparse.ArgumentParser) -> Iterator[tuple[argparse.ArgumentParser, str]]:
    """The parser of each command, and its line in the help."""
    for action in parser._actions:  # noqa: SLF001 - argparse has no public name for them
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - likewise
            lines = {choice.dest: choice.help or "" for choice in action._choices_actions}  # noqa: SLF001 - likewise
            for name, command in action.choices.items():
                yield command, lines.get(name, "")


def every_parser(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """The parser and all below it, each before those of its own commands."""
    yield parser
    for command, _ in commands_of(parser):
        yield from every_parser(command)
