"""The export of an account: all stored data as one JSON document, without secrets."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, select

from store.audit import Audit
from store.audit_tags import Tag
from store.context import Context
from store.export_columns import EXPORTED
from store.models import Account, Binding, Provider
from store.row_locks import lock_by_name
from store.sessions import Sessions

FORMAT: Final = "gatekey-export"
FORMAT_VERSION: Final = 1


class Exports:
    """Produces the export document of an account."""

    def __init__(self, context: Context, audit: Audit, sessions: Sessions) -> None:
        self._context = context
        self._audit = audit
        self._sessions = sessions

    def document(self, token: str) -> Iterator[str]:
        """The document in pieces, so that memory use does not grow with the log. Raises `FreshProofRequired`.

        All tables are read in one transaction, as one snapshot.
        """
        with self._sessions.writing(token, proof=True) as (tx, session):
            self._audit.record_by(tx, session, Tag.EXPORTED)
        yield from self._pieces(session.account_id, only_ascii=False)

    def document_of(self, name: str, *, actor: str, source: str) -> Iterator[str]:
        """The document of the account `name`, for an administrator, in pieces of ASCII. Raises `NoSuchAccount`.

        No proof of identity is required, because the caller has access to the database.
        """
        with self._context.database.write() as tx:
            account = lock_by_name(tx, name)
            self._audit.record(tx, account.id, Tag.EXPORTED, actor=actor, source=source)
        yield from self._pieces(account.id, only_ascii=True)

    def _pieces(self, account_id: int, *, only_ascii: bool) -> Iterator[str]:
        with self._context.database.read() as tx:
            head = {
                "format": FORMAT,
                "version": FORMAT_VERSION,
                "exported_at": self._context.now().isoformat(),
            }
            yield json.dumps(head, indent=1)[:-2]
            for table, columns in EXPORTED.items():
                owner = Account.c.id if table is Account else table.c.account_id
                found = select(*(table.c[name] for name in columns)).where(owner == account_id)
                query: Select[Any] = found.order_by(*table.primary_key)
                if table is Binding:
                    query = query.add_columns(Provider.c.slug.label("provider")).join(
                        Provider, Provider.c.id == Binding.c.provider_id
                    )
                yield f',\n "{table.name}": ['
                separator = "\n  "
                for row in tx.execute(query.execution_options(yield_per=500)):
                    yield separator + json.dumps(dict(row._mapping), default=_encode, ensure_ascii=only_ascii)
                    separator = ",\n  "
                yield "\n ]"
            yield "\n}\n"


def _encode(value: datetime | bytes) -> str:
    # Bytes are base64url without padding, as in WebAuthn.
    return value.isoformat() if isinstance(value, datetime) else urlsafe_b64encode(value).decode().rstrip("=")
