"""All routes of the stand-in, and which of them a path belongs to."""

from collections.abc import Iterable
from typing import Final

from tests.new_api import (
    administration,
    api_keys,
    bindings,
    logs,
    mail_codes,
    own_account,
    passkeys,
    proofs,
    relay,
    sessions,
    settings,
    sign_in,
    status,
    two_factor,
    wallet,
)
from tests.new_api.call import Rule
from tests.new_api.generations import Generation

TOPICS: Final = (
    *(status, sign_in, sessions, own_account, settings, two_factor, proofs, passkeys, bindings, mail_codes),
    *(api_keys, relay, logs, wallet, administration),
)
RULES: Final = tuple(rule for topic in TOPICS for rule in topic.RULES)


def rules_of(generation: Generation) -> list[Rule]:
    """The routes that a build has."""
    return [rule for rule in RULES if rule.only in (None, generation)]


def find(rules: Iterable[Rule], method: str, path: str) -> tuple[Rule | None, dict[str, str]]:
    """The first route that fits, and the named segments of the path."""
    for rule in rules:
        parts = matched(rule.path, path) if rule.method == method else None
        if parts is not None:
            return rule, parts
    return None, {}


def matched(template: str, path: str) -> dict[str, str] | None:
    """The named segments of a path, None if it does not fit."""
    wanted, given = template.split("/"), path.split("/")
    if len(wanted) != len(given):
        return None
    parts = {}
    for name, segment in zip(wanted, given, strict=True):
        if name.startswith(":"):
            parts[name[1:]] = segment
        elif name != segment:
            return None
    return None if "" in parts.values() else parts
