"""Findings of `gatekey doctor`."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from store.errors import GatekeyError


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"
    """It works, but could work better or be safer."""
    FAIL = "fail"
    """It does not work, or is not safe."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check. `fix` says what to do; it is empty for `Level.OK`."""

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
    """`Level.OK` with `sentence` if `check` raises nothing, else `Level.FAIL` with the raised `GatekeyError`."""
    try:
        check()
    except GatekeyError as error:
        return fail(subject, f"{error.title}.", str(error))
    return ok(subject, sentence)
