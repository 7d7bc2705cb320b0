"""The number of working credentials of an account; the last one cannot be removed."""

from sqlalchemy import Connection, func, select

from store.errors import LastCredential
from store.models import Account, Binding, Passkey
from store.site import Site


class Credentials:
    """Counts an account's working credentials."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def count_usable(self, tx: Connection, account_id: int) -> int:
        """The number of working credentials: the password, and passkeys and bindings where the site allows them."""
        has_password = tx.execute(
            select(Account.c.password_hash.is_not(None)).where(Account.c.id == account_id)
        ).scalar_one()
        count = int(has_password)
        if self._site.flag_in(tx, "passkeys.enabled"):
            live = select(func.count()).where(Passkey.c.account_id == account_id, Passkey.c.flagged_at.is_(None))
            count += tx.execute(live).scalar_one()
        if self._site.flag_in(tx, "account_binding.enabled"):
            count += tx.execute(select(func.count()).where(Binding.c.account_id == account_id)).scalar_one()
        return count

    def require_any(self, tx: Connection, account_id: int) -> None:
        """Raise `LastCredential`, which rolls `tx` back, if a removal inside `tx` left no working credential.

        The caller holds the lock on the account's row, so two concurrent removals cannot both pass.
        """
        if self.count_usable(tx, account_id) == 0:
            raise LastCredential
