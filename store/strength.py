"""The estimated strength of a password."""

from collections.abc import Callable
from typing import Final, NamedTuple

from store.text import sanitize

MIN_SCORE: Final = 3
_ESTIMATED_CHARACTERS: Final = 72
"""The estimator's time grows with the square of the length; further characters can only make a password stronger."""


class Strength(NamedTuple):
    """An estimate: `score` is 0 (weakest) to 4, `advice` one sentence or empty."""

    score: int
    advice: str

    @property
    def is_enough(self) -> bool:
        return self.score >= MIN_SCORE


def estimate(password: str, known_words: tuple[str, ...] = ()) -> Strength:
    """The strength of `password` against an attacker who knows `known_words` (username, e-mail address, product).

    The estimator is zxcvbn. It uses no network and stores nothing.
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
"""The signature of `estimate`. A store can be opened with another estimator."""
