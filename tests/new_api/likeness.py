"""Whether an answer is like a recorded one: the same fields, types and values, but for what is marked as changing."""

import re
from typing import Any, Final

from tests.new_api.messages import language_of

NAME: Final = re.compile(r"⟦([^⟧]+)⟧")
_KINDS: Final[dict[str, type]] = {"int": int, "str": str, "list": list}


def filled(value: Any, names: dict[str, str]) -> Any:
    """The value with the names in its strings replaced by what they stand for."""
    if isinstance(value, dict):
        return {name: filled(part, names) for name, part in value.items()}
    if isinstance(value, list):
        return [filled(part, names) for part in value]
    return NAME.sub(lambda found: names[found[1]], value) if isinstance(value, str) else value


def differences(wanted: Any, found: Any, names: dict[str, str], *, partial: bool = False, at: str = "") -> list[str]:
    """The differences. A name that stands for nothing yet gets the value found in its place."""
    if isinstance(wanted, dict):
        return _of_objects(wanted, found, names, partial=partial, at=at)
    if isinstance(wanted, list):
        if not isinstance(found, list) or len(found) < len(wanted) or (len(found) != len(wanted) and not partial):
            return [f"{at}: not {len(wanted)} elements: {found!r}"]
        parts = (
            differences(one, other, names, partial=partial, at=f"{at}[{index}]")
            for index, (one, other) in enumerate(zip(wanted, found, strict=False))
        )
        return [line for part in parts for line in part]
    if isinstance(wanted, str) and (name := NAME.fullmatch(wanted)) and name[1] not in names:
        if not isinstance(found, str) or not found:
            return [f"{at}: no text for {name[1]}: {found!r}"]
        names[name[1]] = found
        return []
    wanted = filled(wanted, names)
    is_same = wanted == found and isinstance(wanted, bool) == isinstance(found, bool)
    return [] if is_same else [f"{at}: {wanted!r} became {found!r}"]


def _of_objects(wanted: dict[str, Any], found: Any, names: dict[str, str], *, partial: bool, at: str) -> list[str]:
    if set(wanted) == {"$any"}:
        is_fitting = isinstance(found, _KINDS[wanted["$any"]]) and not isinstance(found, bool)
        return [] if is_fitting else [f"{at}: no {wanted['$any']}: {found!r}"]
    if set(wanted) == {"$sentence"}:
        spoken = language_of(found) if isinstance(found, str) else None
        return [] if spoken == wanted["$sentence"] else [f"{at}: no sentence in {wanted['$sentence']}: {found!r}"]
    if not isinstance(found, dict):
        return [f"{at}: no object: {found!r}"]
    lines = [f"{at}.{name}: missing" for name in wanted if name not in found]
    if not partial:
        lines += [f"{at}.{name}: too much" for name in found if name not in wanted]
    for name in wanted:
        if name in found:
            lines += differences(wanted[name], found[name], names, partial=partial, at=f"{at}.{name}")
    return lines
