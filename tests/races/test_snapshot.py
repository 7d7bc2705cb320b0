"""A read transaction sees one state of the data, whatever is committed meanwhile."""

from sqlalchemy import select

from store.models import Quota
from store.store import Store
from tests.harness.processes import enter
from tests.harness.quota_calls import spend_quota
from tests.harness.stores import add_account, sign_in


def test_a_reader_sees_one_state(url: str, store: Store) -> None:
    account = add_account(store)
    with enter(url).store as other, store.database.read() as tx:
        remaining = select(Quota.c.remaining_micro_usd).where(Quota.c.account_id == account.id)
        before = tx.execute(remaining).scalar_one()
        spend_quota(other, account.id, 1)
        assert tx.execute(remaining).scalar_one() == before


def test_an_export_is_one_state(url: str, store: Store) -> None:
    account = add_account(store)
    document = store.exports.document(sign_in(store))
    with enter(url).store as other:
        head = [next(document)]
        while "alice" not in head[-1]:
            head.append(next(document))
        spend_quota(other, account.id, 1)
        text = "".join((*head, *document))
    assert '"used_micro_usd": 0' in text
