"""The account of a command: one that the system's user names, or the one of a session.

A named account is acted on as the administrator of the database acts. A session acts by the rules of the console: it
may have ended, it may need a fresh proof of identity, and the audit log names it.
"""

import argparse
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from store.audit_tags import COMMAND_LINE
from store.text import sanitize
from tui.commands.account_option import user_of
from tui.commands.actor import actor
from tui.store_location import Options, open_account_store

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from store.api_key_acts import KeyActor
    from store.row_export import Told
    from store.store import Store
    from store.values.drawer import FetchPlace
    from store.values.notifications import EmailRoute
    from store.values.redeem_codes import Redeemed
    from store.values.row_export import ExportFormat
    from store.values.sections import Saved, SectionT
    from store.values.sign_in import SignedIn
    from store.values.usage import UsageFilter


@dataclass(frozen=True, slots=True)
class CommandSession:
    """The session of a command whose person has signed in already. Its owner ends it and closes the store."""

    store: "Store"
    signed_in: "SignedIn" = field(repr=False)
    announce: Callable[[bytes], None]
    """See `store.sessions.Sessions.announce`."""
    fetch_place: "FetchPlace"
    """The server of the drawer."""


class CommandAccount(ABC):
    """The account that a command shows or changes. Every method raises the errors of the store."""

    def __init__(self, store: "Store", name: str) -> None:
        self.store = store
        self.name = name

    def hint(self, words: str) -> str:
        """The command line of `words`, such as `settings confirm-email`, for this account."""
        return words

    @abstractmethod
    def reading(self) -> "AbstractContextManager[tuple[Connection, int]]":
        """A read transaction, and the account's id."""

    @abstractmethod
    def changing_keys(self) -> "AbstractContextManager[tuple[Connection, KeyActor]]":
        """A write transaction for acts on the API keys."""

    @abstractmethod
    def load_section(self, kind: "type[SectionT]") -> "Saved[SectionT]":
        """One section of the settings."""

    @abstractmethod
    def save_section(self, section: "SectionT", version: int) -> "Saved[SectionT]":
        """Store `section` over `version`."""

    @abstractmethod
    def send_email_code(self) -> str:
        """Queue a code for the unconfirmed notification address; returns the address."""

    @abstractmethod
    def confirm_email(self, code: str) -> "EmailRoute":
        """Confirm the notification address."""

    @abstractmethod
    def redeem(self, code: str) -> "Redeemed":
        """Redeem a code."""

    @abstractmethod
    def usage_pieces(self, form: "ExportFormat", only: "UsageFilter", told: "Told") -> Iterator[str]:
        """The export of the log in pieces."""

    @abstractmethod
    def ledger_pieces(self, form: "ExportFormat", told: "Told") -> Iterator[str]:
        """The export of the ledger in pieces."""


def account_of(arguments: argparse.Namespace, options: Options, whose: str) -> AbstractContextManager[CommandAccount]:
    """The account of the command, open inside `with`. Raises SystemExit at once if none is named; `whose` as there."""
    session: CommandSession | None = getattr(arguments, "session", None)
    return _of_session(session) if session is not None else _named(options, user_of(arguments, whose))


@contextmanager
def _named(options: Options, name: str) -> Iterator[CommandAccount]:
    with open_account_store(options, create=False) as store:
        account = store.accounts.find(name)
        yield _NamedAccount(store, account.name, account.id)


@contextmanager
def _of_session(session: CommandSession) -> Iterator[CommandAccount]:
    yield _SessionAccount(session.store, session.signed_in.name, session.signed_in.token)


class _NamedAccount(CommandAccount):
    def __init__(self, store: "Store", name: str, account_id: int) -> None:
        super().__init__(store, name)
        self._id = account_id

    def hint(self, words: str) -> str:
        family, _, action = words.partition(" ")
        return f"gatekey {family} --user {sanitize(self.name)} {action}".rstrip()

    @contextmanager
    def reading(self) -> "Iterator[tuple[Connection, int]]":
        with self.store.database.read() as tx:
            yield tx, self._id

    def changing_keys(self) -> "AbstractContextManager[tuple[Connection, KeyActor]]":
        return self.store.api_keys.administering(self.name, actor=actor())

    def load_section(self, kind: "type[SectionT]") -> "Saved[SectionT]":
        return self.store.settings.load_for(self._id, kind)

    def save_section(self, section: "SectionT", version: int) -> "Saved[SectionT]":
        return self.store.settings.save_for(self._id, section, version, actor=actor())

    def send_email_code(self) -> str:
        return self.store.email_confirmations.send_code_for(self._id)

    def confirm_email(self, code: str) -> "EmailRoute":
        return self.store.email_confirmations.confirm_for(self._id, code, actor=actor())

    def redeem(self, code: str) -> "Redeemed":
        return self.store.redeem_codes.redeem_for(self._id, self.name, code, actor=actor())

    def usage_pieces(self, form: "ExportFormat", only: "UsageFilter", told: "Told") -> Iterator[str]:
        return self.store.usage_export.pieces_of(self._id, form, only, told, actor=actor(), source=COMMAND_LINE)

    def ledger_pieces(self, form: "ExportFormat", told: "Told") -> Iterator[str]:
        return self.store.ledger_export.pieces_of(self._id, form, told, actor=actor(), source=COMMAND_LINE)


class _SessionAccount(CommandAccount):
    def __init__(self, store: "Store", name: str, token: str) -> None:
        super().__init__(store, name)
        self._token = token

    @contextmanager
    def reading(self) -> "Iterator[tuple[Connection, int]]":
        with self.store.sessions.reading(self._token) as (tx, session):
            yield tx, session.account_id

    def changing_keys(self) -> "AbstractContextManager[tuple[Connection, KeyActor]]":
        return self.store.api_keys.acting(self._token)

    def load_section(self, kind: "type[SectionT]") -> "Saved[SectionT]":
        return self.store.settings.load(self._token, kind)

    def save_section(self, section: "SectionT", version: int) -> "Saved[SectionT]":
        return self.store.settings.save(self._token, section, version)

    def send_email_code(self) -> str:
        return self.store.email_confirmations.send_code_by(self._token)

    def confirm_email(self, code: str) -> "EmailRoute":
        return self.store.email_confirmations.confirm(self._token, code)

    def redeem(self, code: str) -> "Redeemed":
        return self.store.redeem_codes.redeem(self._token, code)

    def usage_pieces(self, form: "ExportFormat", only: "UsageFilter", told: "Told") -> Iterator[str]:
        return self.store.usage_export.pieces(self._token, form, only, told)

    def ledger_pieces(self, form: "ExportFormat", told: "Told") -> Iterator[str]:
        return self.store.ledger_export.pieces(self._token, form, told)
