"""Reads that jobs share: a question has one answer, and an error is none."""

import pytest
from sqlalchemy import Connection

from store.errors import InvalidApiKey
from store.shared_reads import SharedReads
from store.store import Store


def test_a_question_is_read_once_and_an_error_is_asked_again(store: Store) -> None:
    read: list[str] = []

    def answer(tx: Connection) -> int:
        read.append("read")
        return int(tx.exec_driver_sql("SELECT 41").scalar_one()) + len(read)

    def refuse(_: Connection) -> int:
        read.append("refused")
        raise InvalidApiKey

    with store.database.look() as tx:
        reads = SharedReads(tx)
        assert [reads.once(("key", "gpt-5"), answer) for _ in range(3)] == [42] * 3
        for _ in range(2):
            with pytest.raises(InvalidApiKey):
                reads.once(("key", "gpt-4"), refuse)
        assert read == ["read", "refused", "refused"]
