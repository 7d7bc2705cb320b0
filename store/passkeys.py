"""The stored passkeys of an account. `store.passkey_ceremonies` registers and uses them."""

from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from store import inputs
from store.audit import Audit
from store.audit_tags import Tag
from store.context import Context
from store.credentials import Credentials
from store.errors import (
    AlreadyBound,
    InvalidLabel,
    LimitReached,
    NoSuchItem,
    PasskeyRefused,
    PasskeysDisabled,
)
from store.models import Account, Passkey
from store.notices import Notices
from store.row_locks import lock_against_deletion
from store.sessions import Sessions
from store.site import Site
from store.text import fold
from store.values.passkeys import PasskeyInfo

MAX_PASSKEYS: Final = 10


@dataclass(frozen=True, slots=True)
class NewCredential:
    """The result of a verified registration (WebAuthn level 3, 7.1)."""

    credential_id: bytes
    public_key: bytes = field(repr=False)
    sign_count: int
    aaguid: str
    transports: tuple[str, ...]
    backed_up: bool


@dataclass(frozen=True, slots=True)
class StoredCredential:
    """The stored values for the verification of an assertion (WebAuthn level 3, 7.2)."""

    passkey_id: int
    account_id: int
    credential_id: bytes
    public_key: bytes = field(repr=False)
    sign_count: int
    user_handle: bytes


class Passkeys:
    """Stores, lists, renames, removes and flags passkeys."""

    def __init__(
        self,
        context: Context,
        audit: Audit,
        sessions: Sessions,
        credentials: Credentials,
        notices: Notices,
        site: Site,
    ) -> None:
        self._context = context
        self._audit = audit
        self._sessions = sessions
        self._credentials = credentials
        self._notices = notices
        self._site = site

    def list(self, token: str) -> list[PasskeyInfo]:
        """The passkeys of the session's account, oldest first, also while passkeys are disabled."""
        with self._sessions.reading(token) as (tx, session):
            rows = tx.execute(
                select(Passkey).where(Passkey.c.account_id == session.account_id).order_by(Passkey.c.id)
            ).all()
        return [
            PasskeyInfo(row.id, row.label, row.created_at, row.last_used_at, row.backed_up, row.flagged_at)
            for row in rows
        ]

    def is_enabled(self) -> bool:
        """True if the administrator has enabled passkeys."""
        return self._site.flag("passkeys.enabled")

    def require_enabled(self) -> None:
        """Raise `PasskeysDisabled` unless passkeys are enabled."""
        if not self.is_enabled():
            raise PasskeysDisabled

    def add(self, token: str, label: str, credential: NewCredential) -> int:
        """Store a verified credential for the session's account; returns its id.

        Raises `PasskeysDisabled`, `FreshProofRequired`, `InvalidLabel`, `LimitReached`, `AlreadyBound`.
        """
        self.require_enabled()
        label = inputs.check_label(label, field="passkey-label")
        with self._sessions.writing(token, proof=True) as (tx, session):
            return self.store_credential(
                tx, session.account_id, session.name, session.source, session.session_id, label, credential
            )

    def rename(self, token: str, passkey_id: int, label: str) -> None:
        """Change the label. Raises `InvalidLabel` (also for a used label), `NoSuchItem`, `FreshProofRequired`."""
        label = inputs.check_label(label, field="passkey-label")
        with self._sessions.writing(token, proof=True) as (tx, session):
            try:
                renamed = tx.execute(
                    update(Passkey)
                    .where(Passkey.c.id == passkey_id, Passkey.c.account_id == session.account_id)
                    .values(label=label, label_key=fold(label))
                )
            except IntegrityError as error:
                raise InvalidLabel("Another passkey has this label.", field="passkey-label") from error
            if renamed.rowcount != 1:
                raise NoSuchItem("That passkey was removed before.")
            self._audit.record_by(tx, session, Tag.PASSKEY_RENAMED, label=label)

    def remove(self, token: str, passkey_id: int) -> None:
        """Delete a passkey. Raises `NoSuchItem`, `LastCredential`, `FreshProofRequired`."""
        with self._sessions.writing(token, proof=True) as (tx, session):
            label = tx.execute(
                delete(Passkey)
                .where(Passkey.c.id == passkey_id, Passkey.c.account_id == session.account_id)
                .returning(Passkey.c.label)
            ).scalar()
            if label is None:
                raise NoSuchItem("That passkey was removed before.")
            self._credentials.require_any(tx, session.account_id)
            self._sessions.end_others(tx, session.account_id, keep=session.session_id)
            self._audit.record_by(tx, session, Tag.PASSKEY_REMOVED, label=label)
            self._notices.enqueue(tx, session.account_id, Tag.PASSKEY_REMOVED)

    def find(self, credential_id: bytes) -> StoredCredential:
        """The credential with this id. Raises `PasskeyRefused`, also for a flagged passkey."""
        with self._context.database.read() as tx:
            row = tx.execute(
                select(
                    Passkey.c.id,
                    Passkey.c.account_id,
                    Passkey.c.public_key,
                    Passkey.c.sign_count,
                    Passkey.c.flagged_at,
                    Account.c.user_handle,
                )
                .join(Account, Account.c.id == Passkey.c.account_id)
                .where(Passkey.c.credential_id == credential_id)
            ).one_or_none()
        if row is None or row.flagged_at is not None:
            raise PasskeyRefused
        return StoredCredential(row.id, row.account_id, credential_id, row.public_key, row.sign_count, row.user_handle)

    def store_credential(
        self,
        tx: Connection,
        account_id: int,
        name: str,
        source: str,
        session_id: int,
        label: str,
        credential: NewCredential,
    ) -> int:
        """Store a verified credential inside `tx`, and end the account's other sessions; returns its id.

        Raises `InvalidLabel`, `LimitReached`, `AlreadyBound`.
        """
        self.check_new_label(tx, account_id, label)
        try:
            passkey_id = tx.execute(
                insert(Passkey)
                .values(
                    account_id=account_id,
                    credential_id=credential.credential_id,
                    public_key=credential.public_key,
                    sign_count=credential.sign_count,
                    label=label,
                    label_key=fold(label),
                    aaguid=credential.aaguid,
                    transports=list(credential.transports),
                    backed_up=credential.backed_up,
                    created_at=self._context.now(),
                )
                .returning(Passkey.c.id)
            ).scalar_one()
        except IntegrityError as error:
            raise AlreadyBound("This passkey is registered already.") from error
        self._sessions.end_others(tx, account_id, keep=session_id)
        self._audit.record(tx, account_id, Tag.PASSKEY_ADDED, actor=name, source=source, label=label)
        self._notices.enqueue(tx, account_id, Tag.PASSKEY_ADDED)
        return int(passkey_id)

    def check_new_label(self, tx: Connection, account_id: int, label: str) -> None:
        """Raise `LimitReached` at `MAX_PASSKEYS` passkeys, `InvalidLabel` if the label is used."""
        if tx.execute(select(func.count()).where(Passkey.c.account_id == account_id)).scalar_one() >= MAX_PASSKEYS:
            raise LimitReached(f"An account has at most {MAX_PASSKEYS} passkeys. Remove one first.")
        taken = select(Passkey.c.id).where(Passkey.c.account_id == account_id, Passkey.c.label_key == fold(label))
        if tx.execute(taken).scalar() is not None:
            raise InvalidLabel("Another passkey has this label.", field="passkey-label")

    def flag(self, stored: StoredCredential) -> None:
        """Flag a passkey that may have been copied, so that it is refused."""
        with self._context.database.write() as tx:
            lock_against_deletion(tx, stored.account_id)
            flagged = tx.execute(
                update(Passkey)
                .where(Passkey.c.id == stored.passkey_id, Passkey.c.flagged_at.is_(None))
                .values(flagged_at=self._context.now())
            )
            if flagged.rowcount == 1:
                self._audit.record(tx, stored.account_id, Tag.PASSKEY_CLONED, actor="gateway", source="")
                self._notices.enqueue(tx, stored.account_id, Tag.PASSKEY_CLONED)
