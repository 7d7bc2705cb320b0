"""Pens: the attributes that a terminal draws with (SGR), and the shortest sequence from one pen to another.

A pen is a string of SGR parameters ("1;38;5;7"; ECMA-48 8.3.117), followed by an ESC and the parameters of a hyperlink
("id=1;https://..."; OSC 8) if there is one. "" is the default pen.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple

_VISIBLE_ON_BLANK: Final = frozenset({"4", "5", "6", "7", "9", "21", "51", "52", "53"})
"""Flags that are visible on a space: underline, blink, reverse, strike, frames and overline."""


_OFF: Final = {"1": "22", "2": "22", "3": "23", "4": "24", "21": "24", "7": "27", "9": "29"}
"""The parameter that switches a flag off. Terminals that draw the others need not know how to switch them off."""


class _Attributes(NamedTuple):
    flags: tuple[str, ...]
    foreground: str
    background: str


@lru_cache(maxsize=4096)
def transition(old: str, new: str) -> str:
    """The shortest sequence that changes the pen from `old` to `new`."""
    old_sgr, _, old_link = old.partition("\x1b")
    new_sgr, _, new_link = new.partition("\x1b")
    link = "" if old_link == new_link else f"\x1b]8;{new_link or ';'}\x1b\\"
    if old_sgr == new_sgr:
        return link
    if not new_sgr:
        return f"\x1b[0m{link}"
    whole = f"\x1b[0;{new_sgr}m" if old_sgr else f"\x1b[{new_sgr}m"
    before, after = _attributes(old_sgr), _attributes(new_sgr)
    changes = None if before is None or after is None else _flag_changes(before.flags, after.flags)
    if before is None or after is None or changes is None:
        return whole + link
    if before.foreground != after.foreground:
        changes.append(after.foreground or "39")
    if before.background != after.background:
        changes.append(after.background or "49")
    if not changes:
        return link
    return min(f"\x1b[{';'.join(changes)}m", whole, key=len) + link


def _flag_changes(before: tuple[str, ...], after: tuple[str, ...]) -> list[str] | None:
    """The parameters that switch flags off and on; None if one has no parameter that switches it off alone."""
    gone = [flag for flag in before if flag not in after]
    if not all(flag in _OFF for flag in gone):
        return None
    off = list(dict.fromkeys(_OFF[flag] for flag in gone))
    # One parameter switches bold and dim off.
    return off + [flag for flag in after if flag not in before or _OFF.get(flag) in off]


@lru_cache(maxsize=4096)
def pen_on_blank(pen: str) -> str:
    """The simplest pen that draws a space in the same way as `pen`."""
    # `_attributes` does not know hyperlinks, so such a pen stays as it is.
    attributes = _attributes(pen)
    if attributes is None or not _VISIBLE_ON_BLANK.isdisjoint(attributes.flags):
        return pen
    return attributes.background


@lru_cache(maxsize=4096)
def on_background_of(pen: str, blank: str) -> str:
    """The pen that draws a space as `blank` does, a pen for spaces, with the fewest changes of `pen`."""
    attributes = _attributes(pen)
    if attributes is None or not is_background(blank) or not _VISIBLE_ON_BLANK.isdisjoint(attributes.flags):
        return blank
    return ";".join(filter(None, (*attributes.flags, attributes.foreground, blank)))


@lru_cache(maxsize=4096)
def is_background(pen: str) -> bool:
    """True if a pen has a background, or that of the terminal, and nothing else."""
    attributes = _attributes(pen)
    return attributes is not None and attributes == _Attributes((), "", attributes.background)


@lru_cache(maxsize=4096)
def _attributes(sgr: str) -> _Attributes | None:
    """The attributes that SGR parameters set; None if one is of a kind that Rich does not write."""
    flags: list[str] = []
    colours = {"3": "", "4": ""}
    parameters = iter(sgr.split(";") if sgr else ())
    for parameter in parameters:
        if parameter in ("38", "48"):
            kind = next(parameters, "")
            rest = [next(parameters, "") for _ in range({"5": 1, "2": 3}.get(kind, 0))]
            if not rest or not all(rest):
                return None
            colours[parameter[0]] = ";".join([parameter, kind, *rest])
        elif re.fullmatch(r"[34][0-79]|9[0-7]|10[0-7]", parameter):
            colours["3" if parameter[0] in "39" else "4"] = parameter
        elif re.fullmatch(r"[1-9]|21|5[123]", parameter):
            flags.append(parameter)
        else:
            return None
    return _Attributes(tuple(flags), colours["3"], colours["4"])
