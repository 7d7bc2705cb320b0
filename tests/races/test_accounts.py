"""There is one first account, and always an administrator."""

import pytest
from sqlalchemy import delete, func, select

from store.accounts import Role
from store.errors import LastAdministrator, NameTaken
from store.models import Account
from store.store import Store
from tests.harness.processes import ProcessGroup, Worker, enter
from tests.harness.stores import PASSWORD, add_account, sign_in


def count_accounts(store: Store, *, administrators: bool = False) -> int:
    query = select(func.count()).select_from(Account)
    if administrators:
        query = query.where(Account.c.role != Role.USER.value, Account.c.suspended_at.is_(None))
    with store.database.read() as tx:
        return tx.execute(query).scalar_one()


def create_first(worker: Worker, url: str) -> bool:
    with enter(url).store as store:
        worker.meet()
        try:
            store.accounts.create(f"user{worker.number}", PASSWORD, role=Role.ROOT, actor="test", only_if_first=True)
        except NameTaken:
            return False
    return True


def create_first_naively(worker: Worker, url: str) -> bool:
    """Look whether anybody is there, then create."""
    with enter(url).store as store:
        is_empty = store.accounts.is_empty()
        worker.meet()
        if is_empty:
            add_account(store, f"user{worker.number}")
    return is_empty


def step_down(worker: Worker, url: str, hows: str, names: list[str], tokens: list[str]) -> bool:
    """Stop being an administrator, by deletion, suspension or a change of role; whether it was allowed."""
    name, how = names[worker.number], hows.split("-")[worker.number]
    with enter(url).store as store:
        worker.meet()
        try:
            if how == "delete":
                store.deletion.delete(tokens[worker.number], name)
            elif how == "suspend":
                store.suspension.suspend(name, actor="test")
            else:
                store.accounts.set_role(name, Role.USER, actor="test")
        except LastAdministrator:
            return False
    return True


def step_down_naively(worker: Worker, url: str, names: list[str]) -> bool:
    """Count the administrators, then go if there is another."""
    with enter(url).store as store:
        left = count_accounts(store, administrators=True)
        worker.meet()
        if left > 1:
            with store.database.write() as tx:
                tx.execute(delete(Account).where(Account.c.name == names[worker.number]))
    return left > 1


@pytest.mark.parametrize("rounds", [4, pytest.param(50, marks=pytest.mark.long)])
def test_there_is_one_first_account(
    processes: ProcessGroup, url: str, database_kind: str, store: Store, rounds: int
) -> None:
    right = 0
    for _ in range(rounds):
        created = processes.run(create_first, url)
        right += created.count(True) == count_accounts(store) == 1
        with store.database.write() as tx:
            tx.execute(delete(Account))
    print(f"BAR first-account-{database_kind} 8 first runs at once: one account {right}/{rounds}")
    assert right == rounds


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="looked, then created: everybody finds nobody there")
def test_there_is_one_first_account_the_naive_way(
    processes: ProcessGroup, url: str, database_kind: str, store: Store
) -> None:
    processes.run(create_first_naively, url)
    print(f"BAR first-account-{database_kind}-naive {count_accounts(store)} accounts")
    assert count_accounts(store) == 1


@pytest.mark.parametrize("rounds", [4, pytest.param(50, marks=pytest.mark.long)])
@pytest.mark.parametrize(
    "hows", ["delete-delete", "demote-delete", "demote-demote", "suspend-delete", "suspend-suspend"]
)
def test_an_administrator_stays(
    processes: ProcessGroup, url: str, database_kind: str, store: Store, rounds: int, hows: str
) -> None:
    right = 0
    for number in range(rounds):
        names = [f"admin{number}{side}" for side in "ab"]
        for name in names:
            add_account(store, name, role=Role.ADMIN)
        for account in store.accounts.all():  # who was left by the round before makes room
            if account.name not in names and account.role is Role.ADMIN:
                store.accounts.set_role(account.name, Role.USER, actor="test")
        tokens = [sign_in(store, name, source=name) for name in names]
        went = processes.pair(step_down, url, hows, names, tokens)
        right += went.count(True) == count_accounts(store, administrators=True) == 1
    print(f"BAR H4-{database_kind}-{hows} the last two administrators step down: one stayed {right}/{rounds}")
    assert right == rounds


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="counted, then gone: each finds the other still there")
def test_an_administrator_stays_the_naive_way(
    processes: ProcessGroup, url: str, database_kind: str, store: Store
) -> None:
    names = [add_account(store, name, role=Role.ADMIN).name for name in ("alice", "bob")]
    processes.pair(step_down_naively, url, names)
    left = count_accounts(store, administrators=True)
    print(f"BAR H4-{database_kind}-naive {left} administrators left")
    assert left == 1
