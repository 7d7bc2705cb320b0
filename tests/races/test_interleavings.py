"""One commit in the middle of another's transaction, placed there on purpose (PostgreSQL; SQLite has one writer)."""

import pytest

from store.outbox import Job
from store.sections import Channel, NotificationSettings
from store.store import Store
from store.values.billing import QuotaState
from store.values.sections import SettingsConflict
from store.values.usage import Kind, UsageEntry
from tests.harness.processes import after_statement, enter
from tests.harness.quota_calls import book_call, hold_quota
from tests.harness.stores import add_account, sign_in

CALL = UsageEntry(Kind.CONSUMPTION, "model")


pytestmark = pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)


def test_a_top_up_during_a_settlement_is_not_taken_along(url: str, store: Store) -> None:
    """The call cost more than was left when it was first looked at; what came in then pays for it, and no more."""
    account = add_account(store, quota_usd=0)
    store.quota.adjust("alice", set_to=50, actor="test")
    reservation = hold_quota(store, account.id, 50)
    with enter(url).store as other:
        after_statement(store, "UPDATE quotas", lambda: other.quota.adjust("alice", add=1000, actor="test"))
        taken = book_call(store, reservation, 80, CALL)
    with store.database.read() as tx:
        assert (taken, store.quota.state_of(tx, account.id)) == (80, QuotaState(970, 0, 80))


def test_a_channel_switched_off_during_a_save_is_a_conflict(url: str, store: Store) -> None:
    """The dispatcher switches a dead channel off without a session; the save that had read it on must not revive it."""
    account = add_account(store)
    token = sign_in(store)
    mine = store.settings.load(token, NotificationSettings)
    job = Job(1, "", account.id, Channel.EMAIL, "", "", {}, store.context.now(), 0, None)
    with enter(url).store as other:
        after_statement(store, "FROM notification_settings", lambda: other.outbox.disable_channel(job, version=1))
        with pytest.raises(SettingsConflict) as conflict:
            store.settings.save(token, mine.section, mine.version)
    assert conflict.value.theirs.section.email_on is False
    assert store.settings.load(token, NotificationSettings) == conflict.value.theirs
