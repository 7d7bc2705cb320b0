"""The filter line of a log: `model:claude status:error since:7d`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from store.usage_words import KIND_WORDS
from store.values.usage import Kind, UsageChoices, UsageFilter
from tui.moments import NotAMomentError, read_moment

if TYPE_CHECKING:
    from datetime import datetime

NAMES: Final = ("model", "key", "status", "kind", "ip", "since", "until")
MAX_VALUES: Final = 20
"""Values of one filter, as in the store."""
MOMENTS: Final = ("today", "yesterday", "24h", "7d", "30d")
_WORD: Final = re.compile(r'(?:"[^"]*"?|[^\s"])+')
_ERROR: Final = "error"


class FilterFault(ValueError):
    """The filter cannot be read. The message says why."""

    def __init__(self, sentence: str, start: int, length: int) -> None:
        """`start` and `length` are the place in the text, in characters."""
        super().__init__(sentence)
        self.start, self.length = start, length


@dataclass(frozen=True, slots=True)
class _Term:
    """One word of the filter: `name:value`."""

    name: str
    value: str
    start: int
    """The place of the value."""
    end: int

    def fault(self, sentence: str) -> FilterFault:
        return FilterFault(sentence, self.start, max(1, self.end - self.start))


@dataclass(slots=True)
class _Terms:
    """The terms of a text by their names. A word without a name is a part of a model's name."""

    by_name: dict[str, list[_Term]] = field(default_factory=dict)

    def of(self, name: str) -> list[_Term]:
        return self.by_name.get(name, [])

    def last(self, name: str) -> _Term | None:
        """The only term of a name. Raises `FilterFault` for a second one."""
        terms = self.of(name)
        if len(terms) > 1:
            raise terms[1].fault(f"{name}: can be given once.")
        return terms[0] if terms else None


def read_filter(text: str, choices: UsageChoices, now: datetime, kind: Kind | None = None) -> UsageFilter:
    """The filter that `text` describes. `kind` is that of the log; times of day are in the zone of `now`.

    A part of a model, key or status stands for all of `choices` that contain it. Raises `FilterFault`.
    """
    terms = _split(text)
    kinds = terms.last("kind")
    if kinds is not None:
        chosen = _kind(kinds)
        if kind not in (None, chosen):
            raise kinds.fault(f"This log has only the kind {KIND_WORDS[kind]}.")
        kind = chosen
    statuses = terms.of("status")
    if [term.value.casefold() for term in statuses] == [_ERROR] and _ERROR not in choices.statuses:
        kind, statuses = _errors(statuses[0], kind), []
    since, until = _moment(terms.last("since"), now), _moment(terms.last("until"), now, is_end=True)
    if since is not None and until is not None and until <= since:
        raise terms.of("until")[0].fault("This ends before it begins.")
    return UsageFilter(
        kind=kind,
        models=_matching(terms.of("model"), choices.models, "models"),
        keys=_matching(terms.of("key"), choices.keys, "keys"),
        statuses=_matching(statuses, choices.statuses, "states"),
        ip=_address(terms.last("ip")),
        since=since,
        until=until,
    )


def suggest(text: str, choices: UsageChoices) -> list[str]:
    """The texts that `text` can be completed to, as its last word goes on; the best first."""
    if not text or text[-1].isspace():
        return []
    last = list(_WORD.finditer(text))[-1]
    before, word = text[: last.start()], last[0]
    name, colon, value = word.partition(":")
    if not colon:
        return [f"{before}{known}:" for known in NAMES if known.startswith(name.casefold())]
    offered = _offered(name.casefold(), choices)
    wanted = value.strip('"').casefold()
    matching = [each for each in offered if each.casefold().startswith(wanted) and each.casefold() != wanted]
    return [f"{before}{name}:{_quoted(each)}" for each in matching]


def _offered(name: str, choices: UsageChoices) -> tuple[str, ...]:
    return {
        "model": choices.models,
        "key": choices.keys,
        "status": (*choices.statuses, _ERROR),
        "kind": tuple(KIND_WORDS.values()),
        "since": MOMENTS,
        "until": MOMENTS,
    }.get(name, ())


def _quoted(value: str) -> str:
    return f'"{value}"' if re.search(r"\s", value) else value


def _split(text: str) -> _Terms:
    found = _Terms()
    for match in _WORD.finditer(text):
        word, start = match[0], match.start()
        name, colon, value = word.partition(":")
        if not colon or '"' in name:
            name, value, at = "model", word, start
        else:
            at = start + len(name) + 1
        name = name.casefold()
        if name not in NAMES:
            raise FilterFault(f"There is no filter {name}:. There are {', '.join(NAMES)}.", start, len(match[0]))
        if value.count('"') == 1:
            raise FilterFault("The closing quotation mark is missing.", start + match[0].index('"'), 1)
        term = _Term(name, value.replace('"', ""), at, match.end())
        if not term.value:
            raise FilterFault(f"Say which {name}.", start, max(1, match.end() - start))
        found.by_name.setdefault(name, []).append(term)
    return found


def _kind(term: _Term) -> Kind:
    word = term.value.casefold()
    for kind, shown in KIND_WORDS.items():
        if word in (shown, kind.value):
            return kind
    raise term.fault(f"There is no such kind. There are {', '.join(KIND_WORDS.values())}.")


def _errors(term: _Term, kind: Kind | None) -> Kind:
    if kind not in (None, Kind.ERROR):
        raise term.fault("Calls that failed are of the kind error.")
    return Kind.ERROR


def _matching(terms: list[_Term], known: tuple[str, ...], things: str) -> tuple[str, ...]:
    """The known values that one of the terms stands for, or the value as it was typed."""
    found: dict[str, None] = {}
    for term in terms:
        part = term.value.casefold()
        exact = [value for value in known if value.casefold() == part]
        parts = exact or [value for value in known if part in value.casefold()]
        if len(parts) > MAX_VALUES:
            raise term.fault(f"{len(parts)} {things} contain this. Type more of the name.")
        found.update(dict.fromkeys(parts or [term.value]))
    if len(found) > MAX_VALUES:
        raise terms[-1].fault(f"A filter has at most {MAX_VALUES} {things}.")
    return tuple(found)


def _address(term: _Term | None) -> str | None:
    import ipaddress

    if term is None:
        return None
    try:
        return str(ipaddress.ip_address(term.value))
    except ValueError:
        raise term.fault("This is no IP address. Enter one such as 203.0.113.7 or 2001:db8::1.") from None


def _moment(term: _Term | None, now: datetime, *, is_end: bool = False) -> datetime | None:
    if term is None:
        return None
    try:
        return read_moment(term.value, now, is_end=is_end)
    except NotAMomentError as error:
        raise term.fault(str(error)) from None
