"""The state of the data before `gatekey init`: what is there, and what it says."""

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from store.text import fold
from tui.store_location import Options, database_url, is_fresh, open_account_store

if TYPE_CHECKING:
    from store.site_switches import Value


@dataclass(frozen=True, slots=True)
class State:
    """What is stored."""

    is_new: bool = True
    """True if there is no database yet."""
    has_administrator: bool = False
    names: "dict[str, str]" = field(default_factory=dict)
    """Of each account, by its folded name, if none is an administrator."""
    emails: "dict[str, str]" = field(default_factory=dict)
    """The address of each account, by its name, if none is an administrator."""
    stored: "dict[str, Value]" = field(default_factory=dict)
    """The site's switches, without secrets."""
    secrets: frozenset[str] = frozenset()
    """The names of the secrets that are stored."""


def state_of(options: Options) -> State:
    """The state of the data that the options name. Raises `StoreUnavailable`."""
    if is_fresh(database_url(options, os.environ)):
        return State()
    with open_account_store(options, create=False) as store:
        entries = store.site.show()
        accounts = store.accounts.all()
        has_administrator = any(account.role.is_administrator for account in accounts)
        return State(
            is_new=False,
            has_administrator=has_administrator,
            names={} if has_administrator else {fold(account.name): account.name for account in accounts},
            emails={} if has_administrator else {account.name: account.email for account in accounts},
            stored={entry.name: entry.value for entry in entries if not entry.is_secret},
            secrets=frozenset(entry.name for entry in entries if entry.is_secret and entry.is_set),
        )
