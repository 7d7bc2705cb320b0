"""How hard a password is to guess."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from store.text import sanitize

LOWEST_SCORE: Final = 3
_ESTIMATED_CHARACTERS: Final = 72
"""The estimator's work grows with the square of the length; the rest of a longer password only adds to it."""


@dataclass(frozen=True, slots=True)
class Strength:
    """An estimate of how hard a password is to guess: `score` 0 to 4, and one sentence of advice or nothing."""

    score: int
    advice: str

    @property
    def is_enough(self) -> bool:
        return self.score >= LOWEST_SCORE


def estimate(password: str, known_words: tuple[str, ...] = ()) -> Strength:
    """The strength of `password` to someone who knows `known_words` (username, e-mail address, product).

    Uses zxcvbn: no network, and nothing is kept.
    """
    if not password:
        return Strength(0, "")
    from zxcvbn import zxcvbn

    words = [word.lower() for word in (*known_words, "gatekey") if word]
    result = zxcvbn(password[:_ESTIMATED_CHARACTERS], user_inputs=words)
    feedback = result["feedback"]
    advice = feedback["warning"] or (feedback["suggestions"] or [""])[0]
    return Strength(int(result["score"]), sanitize(advice, 200))


Estimator = Callable[[str, tuple[str, ...]], Strength]
"""Estimates a password for someone who knows some words: `estimate`, unless a store is opened with another."""
