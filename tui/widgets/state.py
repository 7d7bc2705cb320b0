"""The state of a thing as a mark, a word and a colour, so that none of the three is needed alone."""

from enum import Enum

from textual.content import Content

from store.text import sanitize


class State(Enum):
    """Mark and colour of each state."""

    ON = ("●", "$text-success")
    OFF = ("○", "$foreground-muted")
    NEUTRAL = ("●", "$foreground-muted")
    ATTENTION = ("▲", "$text-warning")
    FAILED = ("✗", "$text-error")

    @property
    def mark(self) -> str:
        return self.value[0]

    @property
    def colour(self) -> str:
        return self.value[1]


def state_chip(state: State, word: str, detail: str = "") -> Content:
    """`● on · detail`: the mark and the word in the colour of the state, the detail in a muted one."""
    rest = Content.styled(f" · {sanitize(detail)}", "$foreground-muted") if detail else Content("")
    chip = Content.styled(f"{state.mark} {sanitize(word)}", state.colour)
    if state in (State.NEUTRAL, State.OFF):
        chip = Content.assemble((f"{state.mark} ", state.colour), (sanitize(word), "$foreground-muted"))
    return Content.assemble(chip, rest)
