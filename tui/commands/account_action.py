"""The actions of `gatekey account`: how each is declared, and what it is given."""

import argparse
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from tui.commands import streams
from tui.commands.account_prompts import Prompts
from tui.commands.parsing import Commands, Parser

if TYPE_CHECKING:
    from tui.account import AccountService

T = TypeVar("T")
Columns: TypeAlias = Mapping[str, Callable[[T], object]]


@dataclass(frozen=True, slots=True)
class Conversation:
    """A person who has signed in, and one command of theirs."""

    account: "AccountService"
    prompts: Prompts
    arguments: argparse.Namespace
    password: str = field(repr=False)
    """The password of the sign-in; empty after another way in."""

    def show(self, document: Any, *lines: str) -> None:
        """Print `document` as JSON if `--json` was given, else `lines`."""
        if self.arguments.json:
            streams.print_json(document)
            return
        for line in lines:
            streams.print_data(line)

    def show_list(self, name: str, items: Sequence[T], document: Callable[[T], Any], columns: Columns[T]) -> None:
        """Print `items` as a list of documents under `name` if `--json` was given, else as a table.

        `columns` has the heading of each column and the cell of an item in it.
        """
        if self.arguments.json:
            streams.print_json({name: [document(item) for item in items]})
            return
        streams.print_table(list(columns), ([cell(item) for cell in columns.values()] for item in items))

    async def proved(self, call: Callable[[], Awaitable[T]]) -> T:
        """The result of `call`, which needs a fresh proof: ask for one if the sign-in is too long ago.

        Raises what `call` and the proof raise.
        """
        from store.errors import FreshProofRequired

        try:
            return await call()
        except FreshProofRequired as error:
            streams.print_status(f"{error}")
            security = await self.account.security()
            if security.has_password:
                await self.account.prove_with_password(self.prompts.secret("password"))
            elif security.two_factor.is_enabled:
                await self.account.prove_with_code(self.prompts.line("Code from your authenticator app"))
            else:
                raise
            return await call()


Act: TypeAlias = Callable[[Conversation], Awaitable[int]]
"""Carries an action out; returns the exit status."""


def add_action(actions: Commands, name: str, act: Act, help_text: str) -> Parser:
    """Add the action `name`, with `--json`."""
    parser = actions.add_parser(name, help=help_text)
    parser.description = help_text[0].upper() + help_text[1:] + "."
    parser.add_argument("--json", action="store_true", help="as one JSON document")
    parser.set_defaults(act=act, parser=parser)
    return parser


def add_topic(actions: Commands, name: str, help_text: str) -> Commands:
    """Add the topic `name`, whose actions are added to the result."""
    parser = actions.add_parser(name, help=help_text)
    topic: Commands = parser.add_subparsers(metavar="ACTION", required=True)
    return topic


def iso(at: datetime | None) -> str | None:
    """A time in ISO 8601 with its zone."""
    return None if at is None else at.isoformat()


def utc(at: datetime | None, never: str = "never") -> str:
    """A time for a person, to the minute."""
    return never if at is None else f"{at:%Y-%m-%d %H:%M} UTC"
