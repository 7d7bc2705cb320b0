"""Writes `docs/gatekey.1`, the manual page gatekey(1), from the parser: `python docs/man_page.py`.

A test compares the file with the result. The wheel installs it into share/man/man1. The macros are those of man(7).
"""

import argparse
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from gateway.tracing_setting import ENDPOINTS
from tui.command import build_parser
from tui.commands.parser_tree import arguments_of, commands_of
from tui.store_location import (
    CONNECTIONS_VARIABLE,
    DATABASE_VARIABLE,
    DEBUG_LOG_VARIABLE,
    FILES_VARIABLE,
    KEY_FILE_VARIABLE,
    KEY_VARIABLE,
    NO_FILES,
)
from tui.version import VERSION

PAGE: Final = Path(__file__).with_name("gatekey.1")
_EVERYWHERE: Final = {"database", "key_file", "no_files", "server", "insecure_http", "help"}
"""Arguments that every command takes; they stand once, in OPTIONS."""
_STATUS: Final = (
    ("0", "It was done."),
    ("1", "It was refused or it failed; a sentence on standard error says why and what to do."),
    ("2", "The command line was wrong, or the console has no terminal."),
    ("130", "It was interrupted."),
)
_VARIABLES: Final = (
    (DATABASE_VARIABLE, "The database: a file, or a URL such as postgresql://gatekey@db.example.com/gatekey."),
    (CONNECTIONS_VARIABLE, "The most connections of one process to PostgreSQL."),
    (KEY_FILE_VARIABLE, "The file of the key."),
    (ENDPOINTS[0], "Where gatekey serve sends traces, over HTTP; without it there are none."),
    (KEY_VARIABLE, "The text of the key, where there is no file."),
    (FILES_VARIABLE, f"The value {NO_FILES} has the effect of --no-files."),
    (DEBUG_LOG_VARIABLE, "A file for you alone, into which a fault of the program is written, without your data."),
    ("NO_COLOR", "If it is not empty, the console uses no colour."),
)
_FILES: Final = (
    ("~/.local/share/gatekey/gatekey.sqlite3", "The database, unless another is named."),
    ("~/.config/gatekey/key", "The key that opens stored secrets. Keep a copy of it apart from the backups."),
    ("~/.config/gatekey/keys.toml", "Keys and theme of the console."),
    ("~/.config/gatekey/servers.json", "The New API servers that were added, without any secret."),
    ("~/.config/gatekey/sessions/", "Their kept sessions, each sealed under the key."),
)
_EXAMPLES: Final = (
    ("Look around in an account that is gone when you quit:", "gatekey --demo"),
    ("Set up a gateway, question by question:", "gatekey init"),
    (
        "Add an account, with its password from a file:",
        "gatekey admin user add alice --email alice@example.com --password-stdin < password.txt",
    ),
    ("Open your account on a New API server:", "gatekey --server https://api.example.com"),
    ("Check the installation:", "gatekey doctor"),
)


def page() -> str:
    """The whole page, in man(7)."""
    parser = build_parser()
    return "\n".join(_lines(parser)) + "\n"


def _lines(parser: argparse.ArgumentParser) -> Iterator[str]:
    name, about = _paragraphs(parser.description or "")[:2]
    yield '.\\" Generated: python docs/man_page.py'
    yield f'.TH GATEKEY 1 "" "gatekey {VERSION}" "Gatekey"'
    yield from (".SH NAME", f"gatekey \\- {_text(name[0].lower() + name[1:].rstrip('.'))}")
    yield from (".SH SYNOPSIS", ".B gatekey", _text("[OPTION ...] [COMMAND ...]"))
    yield from (".SH DESCRIPTION", _text(about))
    yield from (
        ".PP",
        _text(
            "Passwords and other secrets are read from standard input or typed unseen, never taken as "
            "arguments: other users can list command lines."
        ),
    )
    yield from (".SH OPTIONS", *_arguments(parser, skip=frozenset()))
    yield ".SH COMMANDS"
    for command, line in commands_of(parser):
        yield from _command(command, line)
    yield from (".SH EXIT STATUS", *_pairs(_STATUS))
    yield from (".SH ENVIRONMENT", *_pairs(_VARIABLES))
    yield from (".SH FILES", *_pairs(_FILES))
    yield ".SH EXAMPLES"
    for what, example in _EXAMPLES:
        yield from (".PP", _text(what), *_example([example]))
    yield from (".SH SEE ALSO", ".BR ssh (1),", ".BR sshd_config (5),", ".BR systemd.service (5)")


def _command(parser: argparse.ArgumentParser, line: str) -> Iterator[str]:
    """One command, then those below it."""
    below = list(commands_of(parser))
    explained = list(_arguments(parser, skip=_EVERYWHERE))
    if not below:
        yield f".SS {_quoted(' '.join([parser.prog, *_synopsis(parser)]))}"
        yield _text(line[0].upper() + line[1:] + ("" if line.endswith(".") else "."))
        yield from _description(parser.description, line)
        yield from explained
    elif explained or (parser.description and parser.description != line):
        yield f".SS {_quoted(' '.join([parser.prog, *_synopsis(parser), '...']))}"
        yield _text(line[0].upper() + line[1:] + ("" if line.endswith(".") else "."))
        yield from _description(parser.description, line)
        yield from explained
    for command, its_line in below:
        yield from _command(command, its_line)


def _description(description: str | None, line: str) -> Iterator[str]:
    """The description, without the sentence that is the command's line in the help."""
    for paragraph in _paragraphs(description or ""):
        if paragraph.rstrip(".").lower() == line.rstrip(".").lower():
            continue
        if "\n" in paragraph:
            yield from _example(paragraph.split("\n"))
        else:
            yield from (".PP", _text(paragraph))


def _paragraphs(text: str) -> list[str]:
    """The paragraphs of a description. Lines that are set in columns stay lines of one paragraph."""
    found: list[str] = []
    for block in text.split("\n\n"):
        prose: list[str] = []
        columns: list[str] = []
        for line in block.split("\n"):
            (columns if "  " in line else prose).append(line)
        found += [" ".join(prose)] if prose else []
        found += ["\n".join(["", *columns])] if columns else []
    return found


def _synopsis(parser: argparse.ArgumentParser) -> Iterator[str]:
    for argument in arguments_of(parser):
        if argument.dest in _EVERYWHERE:
            continue
        shown = _signature(argument)
        if argument.option_strings:
            yield shown if argument.required else f"[{shown}]"
        else:
            yield {"?": f"[{shown}]", "*": f"[{shown} ...]", "+": f"{shown} ..."}.get(str(argument.nargs), shown)


def _signature(argument: argparse.Action) -> str:
    """An option with its value, or the name of a positional argument."""
    value: object = argument.metavar or (
        "|".join(map(str, argument.choices)) if argument.choices else argument.dest.upper()
    )
    if not argument.option_strings:
        return str(value)
    return argument.option_strings[-1] if argument.nargs == 0 else f"{argument.option_strings[-1]} {value}"


def _arguments(parser: argparse.ArgumentParser, skip: Iterable[str]) -> Iterator[str]:
    """Every argument that has an explanation."""
    explained = [argument for argument in arguments_of(parser) if argument.dest not in skip and argument.help]
    return _pairs((_signature(each), (each.help or "") % {**vars(each), "prog": parser.prog}) for each in explained)


def _pairs(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    for name, text in pairs:
        yield from (".TP", f".B {_quoted(name)}", _text(text))


def _example(lines: Iterable[str]) -> Iterator[str]:
    yield from (".PP", ".RS 4", ".EX")
    yield from (_text(line, keep=True) for line in lines if line)
    yield from (".EE", ".RE")


def _quoted(text: str) -> str:
    """Text as one argument of a macro."""
    return '"' + _text(text).replace('"', "\\(dq") + '"'


def _text(text: str, *, keep: bool = False) -> str:
    """Text as a line of roff: no character of it is a request or an escape."""
    text = text if keep else " ".join(text.split())
    text = (
        text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga").replace("^", "\\(ha")
    )
    text = text.replace("~", "\\(ti")
    text = re.sub(r"[^\x00-\x7f]", lambda found: f"\\[u{ord(found[0]):04X}]", text)
    return f"\\&{text}" if text.startswith((".", "\\(aq")) else text


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="ascii")
