"""Questions of `gatekey account`: asked at a terminal, or answered by the lines of standard input.

A question blocks the event loop. Nothing else runs on it meanwhile, and Ctrl+C ends the question at once.
"""

from store.errors import InvalidInput
from tui.commands import streams


class Prompts:
    """Asks one question after the other."""

    @property
    def are_interactive(self) -> bool:
        """True if a person answers at a terminal, and may be asked again."""
        return streams.is_terminal()

    def line(self, what: str) -> str:
        """The answer to `what`, which is shown while it is typed. Raises `InvalidInput` for an empty one."""
        if self.are_interactive:
            streams.prompt(f"{what}: ")
        return streams.read_next_line(what)

    def secret(self, what: str, *, confirm: bool = False) -> str:
        """The secret `what`, typed without an echo, and twice if `confirm`.

        Raises `InvalidInput` for an empty one, and for another one the second time.
        """
        if not self.are_interactive:
            return streams.read_next_line(what)
        return streams.read_secret(what, confirm=confirm)

    def agree(self, question: str, answer: str = "yes") -> bool:
        """True if the answer to `question`, which names `answer`, is that."""
        if self.are_interactive:
            return streams.confirm(question, answer=answer)
        try:
            return streams.read_next_line(question) == answer
        except InvalidInput:
            return False
