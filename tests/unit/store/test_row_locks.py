"""Whoever changes rows of an account takes the account's own row first, so no two wait for each other."""

from collections.abc import Callable

import pytest
from sqlalchemy import update

from store.models import Quota
from store.quota_warnings import WARNING_INTERVAL
from store.sections import NotificationSettings
from store.store import Store
from store.values.usage import Kind, UsageEntry
from tests.harness.people import statements
from tests.harness.stores import add_account

CALL = UsageEntry(Kind.CONSUMPTION, "model")


def refuse(store: Store, account_id: int) -> None:
    with store.database.write() as tx:
        store.usage.append_refusals(tx, account_id, CALL, 2, entry_id=1)


def warn(store: Store, account_id: int) -> None:
    assert store.quota_warnings.warn_postponed() == 1


def save(store: Store, account_id: int) -> None:
    mine = store.settings.load_for(account_id, NotificationSettings)
    store.settings.save_for(account_id, mine.section, mine.version, actor="root")


@pytest.mark.parametrize("act", [refuse, warn, save])
def test_the_account_is_locked_before_anything_is_changed(
    postgres_store: Store, act: Callable[[Store, int], None]
) -> None:
    account_id = add_account(postgres_store).id
    with postgres_store.database.write() as tx:
        postgres_store.usage.append_refusals(tx, account_id, CALL, 1, entry_id=None)
        due = postgres_store.context.now() - WARNING_INTERVAL
        tx.execute(
            update(Quota)
            .where(Quota.c.account_id == account_id)
            .values(remaining_micro_usd=0, warning_armed=True, warned_at=due)
        )
    with statements(postgres_store) as seen:
        act(postgres_store, account_id)
    locking = [one for one in seen if one.startswith(("INSERT", "UPDATE", "DELETE")) or " FOR " in one]
    assert "FROM accounts" in locking[0]
    assert locking[0].endswith("FOR KEY SHARE")
