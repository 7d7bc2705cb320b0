"""The questions of `gatekey init`: one line each, asked again until the answer can be used."""

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from store.errors import GatekeyError, InvalidInput
from store.site_switches import SWITCHES, Value
from store.text import sanitize
from tui.commands import streams
from tui.commands.values import in_words

LEAVE_OUT: Final = "-"
"""The answer that takes a value away."""
_YES: Final = ("y", "yes")
_NO: Final = ("n", "no")
T = TypeVar("T")


class Interview:
    """Asks for what differs from the `stored` values of the site. Nothing is written by it."""

    def __init__(self, stored: Mapping[str, Value], secrets: frozenset[str]) -> None:
        """`stored` has the values that differ from the defaults; `secrets` names the stored secrets."""
        self._stored = stored
        self._secrets = secrets
        self.changes: dict[str, str | None] = {}
        """What to write, by the switch: the text of a value; None is its default."""

    def current(self, name: str) -> Value:
        """The value as it would be after what was answered so far; of a secret, whether there is one."""
        switch = SWITCHES[name]
        if name in self.changes:
            text = self.changes[name]
            return bool(text) if switch.is_secret else switch.default if text is None else switch.parse(text)
        return name in self._secrets if switch.is_secret else self._stored.get(name, switch.default)

    def words(self, name: str) -> str:
        """The current value as it is typed; empty if there is none."""
        return in_words(self.current(name))

    def keep(self, name: str, text: str | None) -> None:
        """Note a new value, unless it is the stored one."""
        switch = SWITCHES[name]
        self.changes.pop(name, None)
        value = switch.default if text is None else switch.parse(text)
        if switch.is_secret or value != self._stored.get(name, switch.default):
            self.changes[name] = text

    def ask(self, name: str, question: str, *, suggested: str = "", needed: str = "") -> str:
        """Ask for the value of a switch; returns it in words. `needed` says why it cannot be empty.

        Raises `EOFError`.
        """
        default = self.words(name) or suggested
        question = question if default or needed else f"{question} (Enter for none)"

        def read(answer: str) -> str:
            if answer == LEAVE_OUT:
                self.keep(name, None)
            elif answer:
                self.note(name, answer)
            if needed and not self.words(name):
                raise InvalidInput(needed)
            return self.words(name)

        return self.answer(question, read, default=default)

    def ask_secret(self, name: str, what: str) -> None:
        """Ask for a secret, unseen. Enter keeps the stored one."""
        stands = " (unseen; Enter keeps the stored one)" if self.current(name) else " (unseen; Enter for none)"

        def read(answer: str) -> None:
            if answer == LEAVE_OUT:
                self.keep(name, None)
            elif answer:
                self.note(name, answer)

        self.answer(f"{what}{stands}", read, unseen=True)

    def agree(self, question: str, *, default: bool) -> bool:
        """A question for yes or no. Raises `EOFError`."""

        def read(answer: str) -> bool:
            if answer.lower() not in (*_YES, *_NO):
                raise InvalidInput("Answer yes or no.")
            return answer.lower() in _YES

        return self.answer(question, read, default="yes" if default else "no")

    def switch(self, name: str, question: str) -> bool:
        """A question for a switch that is true or false. Raises `EOFError`."""
        is_on = self.agree(question, default=self.current(name) is True)
        self.keep(name, in_words(is_on))
        return is_on

    def answer(self, question: str, read: Callable[[str], T], *, default: str = "", unseen: bool = False) -> T:
        """What `read` makes of the answer. A refusal of it is told, and the question asked again.

        Raises `EOFError` at the end of the input.
        """
        while True:
            asked = f"{question}{f' [{default}]' if default else ''}: "
            typed = streams.read_unseen_line(asked) if unseen else self._seen(asked)
            if typed is None:
                streams.print_status("")
                raise EOFError
            try:
                return read(typed or default)
            except GatekeyError as refusal:
                streams.print_status(f"  {refusal}")

    @staticmethod
    def _seen(question: str) -> str | None:
        streams.prompt(question)
        return streams.read_typed_line()

    def note(self, name: str, answer: str) -> None:
        """`keep` a typed value. Raises `InvalidInput`, which says what the switch takes."""
        switch = SWITCHES[name]
        try:
            self.keep(name, answer)
        except (ValueError, GatekeyError) as error:
            raise InvalidInput(sanitize(f"{name} takes {switch.expects}.")) from error
