"""Revocation of all API keys and the System Access Token of an account by an administrator."""

from dataclasses import dataclass

from sqlalchemy import delete, update

from store.audit import Audit
from store.audit_tags import COMMAND_LINE, Tag
from store.context import Context
from store.models import AccessToken, ApiKey
from store.notices import Notices
from store.row_locks import lock_by_name


@dataclass(frozen=True, slots=True)
class Revoked:
    """The number of revoked API keys, and whether a System Access Token was revoked."""

    api_keys: int
    access_token: bool


class KeyRevocation:
    """Revokes all keys of an account at once."""

    def __init__(self, context: Context, audit: Audit, notices: Notices) -> None:
        self._context = context
        self._audit = audit
        self._notices = notices

    def revoke_all(self, name: str, *, actor: str) -> Revoked:
        """Revoke the API keys and delete the System Access Token of an account. Raises `NoSuchAccount`.

        The act is always recorded in the audit log. The owner gets a notice if anything was revoked.
        """
        with self._context.database.write() as tx:
            account = lock_by_name(tx, name)
            keys = tx.execute(
                update(ApiKey)
                .where(ApiKey.c.account_id == account.id, ApiKey.c.revoked_at.is_(None))
                .values(revoked_at=self._context.now())
            ).rowcount
            had_token = tx.execute(delete(AccessToken).where(AccessToken.c.account_id == account.id)).rowcount == 1
            self._audit.record(
                tx,
                account.id,
                Tag.KEYS_REVOKED,
                actor=actor,
                source=COMMAND_LINE,
                api_keys=keys,
                access_token=had_token,
            )
            if keys or had_token:
                self._notices.enqueue(tx, account.id, Tag.KEYS_REVOKED)
        return Revoked(keys, had_token)
