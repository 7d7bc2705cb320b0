"""The SSH keys of an account. `store.ssh_key_use` decides which account a key opens.

An SSH key opens the console of `gatekey ssh` only, and no other way in, and the store does not know whether such a
server runs. It therefore does not count as a credential in `store.credentials`: the last SSH key can be removed, and
the last credential cannot be removed because of one.
"""

from typing import Final

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from store import inputs, ssh_public_keys
from store.audit import Audit
from store.audit_tags import COMMAND_LINE, Tag
from store.context import Context
from store.errors import AlreadyBound, InvalidLabel, LimitReached, NoSuchAccount, NoSuchItem
from store.models import Account, SshKey
from store.notices import Notices
from store.row_locks import lock_by_name
from store.sessions import Sessions
from store.ssh_public_keys import SshPublicKey
from store.text import fold, is_sanitized
from store.values.ssh_keys import SshKeyInfo

MAX_SSH_KEYS: Final = 20
NAME_FIELD: Final = "ssh-key-name"
_NAME_USED: Final = "Another SSH key has this name."
_ADDED_BEFORE: Final = "This SSH key was added before."
_REMOVED_BEFORE: Final = "That SSH key was removed before."


class SshKeys:
    """Adds, lists, renames and removes SSH keys, for their owner or an administrator."""

    def __init__(self, context: Context, audit: Audit, sessions: Sessions, notices: Notices) -> None:
        self._context = context
        self._audit = audit
        self._sessions = sessions
        self._notices = notices

    def list(self, token: str) -> tuple[SshKeyInfo, ...]:
        """The SSH keys of the session's account, oldest first."""
        with self._sessions.reading(token) as (tx, session):
            return _keys_of(tx, session.account_id)

    def list_of(self, account_name: str) -> tuple[SshKeyInfo, ...]:
        """The SSH keys of an account, for an administrator. Raises `NoSuchAccount`."""
        with self._context.database.read() as tx:
            account_id = tx.execute(select(Account.c.id).where(Account.c.name_key == fold(account_name))).scalar()
            if account_id is None:
                raise NoSuchAccount
            return _keys_of(tx, account_id)

    def is_registered(self, fingerprint: str) -> bool:
        """True if any account has this key. It is for the question of a client before it signs (RFC 4252, 7)."""
        with self._context.database.read() as tx:
            return (
                tx.execute(select(SshKey.c.id).where(SshKey.c.fingerprint == fingerprint).limit(1)).scalar() is not None
            )

    def add(self, token: str, text: str, name: str) -> SshKeyInfo:
        """Add a public key to the session's account, and end its other sessions. An empty name is the key's comment.

        Raises `InvalidSshKey`, `InvalidLabel`, `LimitReached`, `AlreadyBound`, `FreshProofRequired`.
        """
        key = ssh_public_keys.parse(text)
        name = _name_for(key, name)
        with self._sessions.writing(token, proof=True) as (tx, session):
            added = self._insert(tx, session.account_id, key, name)
            self._sessions.end_others(tx, session.account_id, keep=session.session_id)
            self._audit.record_by(tx, session, Tag.SSH_KEY_ADDED, name=name, fingerprint=key.fingerprint)
            self._notices.enqueue(tx, session.account_id, Tag.SSH_KEY_ADDED)
            return added

    def add_for(self, account_name: str, text: str, name: str, *, actor: str) -> SshKeyInfo:
        """Add a public key to an account, for an administrator. Sessions of the account go on.

        Raises `NoSuchAccount`, and as `add`.
        """
        key = ssh_public_keys.parse(text)
        name = _name_for(key, name)
        with self._context.database.write() as tx:
            account_id = lock_by_name(tx, account_name).id
            added = self._insert(tx, account_id, key, name)
            told = {"actor": actor, "source": COMMAND_LINE}
            self._audit.record(tx, account_id, Tag.SSH_KEY_ADDED, name=name, fingerprint=key.fingerprint, **told)
            self._notices.enqueue(tx, account_id, Tag.SSH_KEY_ADDED)
            return added

    def rename(self, token: str, key_id: int, name: str) -> None:
        """Change the name. Raises `InvalidLabel` (also for a used name), `NoSuchItem`, `FreshProofRequired`."""
        name = inputs.check_label(name, field=NAME_FIELD)
        with self._sessions.writing(token, proof=True) as (tx, session):
            mine = (SshKey.c.id == key_id, SshKey.c.account_id == session.account_id)
            try:
                renamed = tx.execute(update(SshKey).where(*mine).values(name=name, name_key=fold(name)))
            except IntegrityError as error:
                raise InvalidLabel(_NAME_USED, field=NAME_FIELD) from error
            if renamed.rowcount != 1:
                raise NoSuchItem(_REMOVED_BEFORE)
            self._audit.record_by(tx, session, Tag.SSH_KEY_RENAMED, name=name)

    def remove(self, token: str, key_id: int) -> None:
        """Delete a key, and end the other sessions of the account, among them all that the key opened.

        The session that removes the key stays, also if the key opened it: its owner has just proved the identity.
        Raises `NoSuchItem`, `FreshProofRequired`.
        """
        with self._sessions.writing(token, proof=True) as (tx, session):
            name, fingerprint = _delete(tx, session.account_id, key_id)
            self._sessions.end_others(tx, session.account_id, keep=session.session_id)
            self._audit.record_by(tx, session, Tag.SSH_KEY_REMOVED, name=name, fingerprint=fingerprint)
            self._notices.enqueue(tx, session.account_id, Tag.SSH_KEY_REMOVED)

    def remove_for(self, account_name: str, key_id: int, *, actor: str) -> None:
        """Delete a key of an account, for an administrator, and end all sessions of the account.

        Raises `NoSuchAccount`, `NoSuchItem`.
        """
        with self._context.database.write() as tx:
            account_id = lock_by_name(tx, account_name).id
            name, fingerprint = _delete(tx, account_id, key_id)
            self._sessions.end_others(tx, account_id, keep=None)
            told = {"actor": actor, "source": COMMAND_LINE}
            self._audit.record(tx, account_id, Tag.SSH_KEY_REMOVED, name=name, fingerprint=fingerprint, **told)
            self._notices.enqueue(tx, account_id, Tag.SSH_KEY_REMOVED)

    def _insert(self, tx: Connection, account_id: int, key: SshPublicKey, name: str) -> SshKeyInfo:
        """Store a key. The caller holds the lock on the account's row, so that two additions see each other."""
        mine = SshKey.c.account_id == account_id
        if tx.execute(select(func.count()).where(mine)).scalar_one() >= MAX_SSH_KEYS:
            raise LimitReached(f"An account has at most {MAX_SSH_KEYS} SSH keys. Remove one first.")
        if tx.execute(select(SshKey.c.id).where(mine, SshKey.c.fingerprint == key.fingerprint)).scalar() is not None:
            raise AlreadyBound(_ADDED_BEFORE, field=ssh_public_keys.FIELD)
        if tx.execute(select(SshKey.c.id).where(mine, SshKey.c.name_key == fold(name))).scalar() is not None:
            raise InvalidLabel(_NAME_USED, field=NAME_FIELD)
        now = self._context.now()
        key_id = tx.execute(
            insert(SshKey)
            .values(
                account_id=account_id,
                fingerprint=key.fingerprint,
                algorithm=key.algorithm,
                name=name,
                name_key=fold(name),
                added_at=now,
                last_used_from="",
            )
            .returning(SshKey.c.id)
        ).scalar_one()
        return SshKeyInfo(key_id, name, key.algorithm, key.fingerprint, now, None, "")


def _name_for(key: SshPublicKey, name: str) -> str:
    if name.strip():
        return inputs.check_label(name, field=NAME_FIELD)
    comment = key.comment[: inputs.MAX_LABEL_LENGTH].strip()
    if not comment or not is_sanitized(comment):
        raise InvalidLabel("Give the key a name.", field=NAME_FIELD)
    return inputs.check_label(comment, field=NAME_FIELD)


def _keys_of(tx: Connection, account_id: int) -> tuple[SshKeyInfo, ...]:
    rows = tx.execute(select(SshKey).where(SshKey.c.account_id == account_id).order_by(SshKey.c.id))
    return tuple(
        SshKeyInfo(row.id, row.name, row.algorithm, row.fingerprint, row.added_at, row.last_used_at, row.last_used_from)
        for row in rows
    )


def _delete(tx: Connection, account_id: int, key_id: int) -> tuple[str, str]:
    """Delete a key; returns its name and fingerprint. Raises `NoSuchItem`."""
    row = tx.execute(
        delete(SshKey)
        .where(SshKey.c.id == key_id, SshKey.c.account_id == account_id)
        .returning(SshKey.c.name, SshKey.c.fingerprint)
    ).one_or_none()
    if row is None:
        raise NoSuchItem(_REMOVED_BEFORE)
    return row.name, row.fingerprint
