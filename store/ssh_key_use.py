"""The use of SSH keys: which account a key opens, and the record of it."""

from typing import NamedTuple

from sqlalchemy import Connection, select, update

from store.audit import Audit
from store.audit_tags import Tag
from store.context import Context
from store.errors import WrongCredentials
from store.models import Account, SshKey
from store.row_locks import lock_against_deletion
from store.text import fold, sanitize

_DOES_NOT_FIT = "This SSH key does not open this account."
_SEVERAL = "More than one account has this SSH key. Name the account: ssh NAME@HOST."


class FittingKey(NamedTuple):
    """A registered key, and the account that it opens."""

    key_id: int
    account_id: int
    account_name: str


class SshKeyUse:
    """Finds the account of a key, and notes the use of the key."""

    def __init__(self, context: Context, audit: Audit) -> None:
        self._context = context
        self._audit = audit

    def find(self, fingerprint: str, name: str, *, source: str) -> FittingKey:
        """The key that opens the account `name`, or, if there is no such account, the one account that has the key.

        A refusal is recorded in the log of the account `name`. Raises `WrongCredentials`.
        """
        with self._context.database.read() as tx:
            named = tx.execute(
                select(Account.c.id, Account.c.name).where(Account.c.name_key == fold(name))
            ).one_or_none()
            holders = (
                select(SshKey.c.id, SshKey.c.account_id, Account.c.name)
                .join(Account, Account.c.id == SshKey.c.account_id)
                .where(SshKey.c.fingerprint == fingerprint)
                .limit(2)
            )
            if named is not None:
                holders = holders.where(SshKey.c.account_id == named.id)
            found = tx.execute(holders).all()
        if len(found) == 1:
            return FittingKey(found[0].id, found[0].account_id, found[0].name)
        if named is not None:
            self._note_refusal(named.id, named.name, fingerprint, source)
        raise WrongCredentials(_SEVERAL if found else _DOES_NOT_FIT)

    def claim(self, tx: Connection, key: FittingKey, *, source: str) -> None:
        """Note the use of a key inside the transaction of its sign-in, which holds the lock on the account's row.

        Raises `WrongCredentials` if the key was removed meanwhile.
        """
        used = tx.execute(
            update(SshKey)
            .where(SshKey.c.id == key.key_id, SshKey.c.account_id == key.account_id)
            .values(last_used_at=self._context.now(), last_used_from=sanitize(source, 200))
            .returning(SshKey.c.name, SshKey.c.fingerprint)
        ).one_or_none()
        if used is None:
            raise WrongCredentials(_DOES_NOT_FIT)
        self._audit.record(
            tx,
            key.account_id,
            Tag.SSH_KEY_USED,
            actor=key.account_name,
            source=source,
            name=used.name,
            fingerprint=used.fingerprint,
        )

    def _note_refusal(self, account_id: int, name: str, fingerprint: str, source: str) -> None:
        with self._context.database.write() as tx:
            lock_against_deletion(tx, account_id)
            if tx.execute(select(Account.c.id).where(Account.c.id == account_id)).scalar() is None:
                return
            self._audit.record(
                tx,
                account_id,
                Tag.SIGN_IN_FAILED,
                actor=name,
                source=source,
                reason="SSH key of no use here",
                fingerprint=sanitize(fingerprint, 60),
            )
