"""What `gatekey doctor` finds: one word, one sentence and what to do, for each thing it looked at."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from store.errors import GatekeyError


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"
    """It works, but not as well or as safely as it could."""
    FAIL = "fail"
    """It does not work, or others can read what they should not."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`fix` says what to do; a finding that is ok has none."""

    subject: str
    level: Level
    sentence: str
    fix: str = ""


def ok(subject: str, sentence: str) -> Finding:
    return Finding(subject, Level.OK, sentence)


def warn(subject: str, sentence: str, fix: str = "") -> Finding:
    return Finding(subject, Level.WARN, sentence, fix)


def fail(subject: str, sentence: str, fix: str = "") -> Finding:
    return Finding(subject, Level.FAIL, sentence, fix)


def attempt(subject: str, check: Callable[[], object], sentence: str) -> Finding:
    """`sentence` if `check` passes, else the sentence of the `GatekeyError` it raised, which says what to do."""
    try:
        check()
    except GatekeyError as error:
        return fail(subject, f"{error.title}.", str(error))
    return ok(subject, sentence)
