"""The owners of responses that are stored at the model server. All accounts share the gateway's key there, so this
table alone tells whose a response is, and how many tokens the conversation with it has."""

from datetime import timedelta
from typing import Final

from sqlalchemy import Connection, delete, select

from store.context import Context
from store.errors import NoSuchItem
from store.models import StoredResponseRow
from store.upsert import upserting_insert

KEPT_FOR: Final = timedelta(days=31)
"""OpenAI deletes a stored response after 30 days."""
_MAX_TOKENS: Final = 2**40


class StoredResponses:
    """Registers responses, and tells whose a response is."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def register(self, tx: Connection, account_id: int, response_id: str, tokens: int) -> None:
        """Note that a response belongs to an account, and forget what is older than `KEPT_FOR`.

        A response that is known stays as it is, whoever has it. The caller has locked the account.
        """
        table, now = StoredResponseRow.c, self._context.now()
        tx.execute(delete(StoredResponseRow).where(table.account_id == account_id, table.created_at < now - KEPT_FOR))
        row = {"id": response_id, "account_id": account_id, "tokens": min(tokens, _MAX_TOKENS), "created_at": now}
        insert = upserting_insert(tx.dialect.name)(StoredResponseRow).values(row)
        tx.execute(insert.on_conflict_do_nothing(index_elements=["id"]))

    def tokens(self, tx: Connection, account_id: int, response_id: str) -> int:
        """The tokens of the conversation with this response. Raises `NoSuchItem`, also for another account's."""
        table = StoredResponseRow.c
        found = tx.execute(
            select(table.tokens).where(table.id == response_id, table.account_id == account_id)
        ).scalar_one_or_none()
        if found is None:
            raise NoSuchItem("There is no response of that name.")
        return found

    def forget(self, tx: Connection, account_id: int, response_id: str) -> None:
        """Delete the row of a response. Raises `NoSuchItem`."""
        table = StoredResponseRow.c
        gone = tx.execute(delete(StoredResponseRow).where(table.id == response_id, table.account_id == account_id))
        if gone.rowcount != 1:
            raise NoSuchItem("There is no response of that name.")
