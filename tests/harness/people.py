"""Steps of an account's owner that many tests take, and every row of a store."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import pyotp
import pytest
from sqlalchemy import Connection, insert, select

from store.errors import GatekeyError
from store.models import METADATA, Passkey
from store.outbox import Job
from store.passkeys import NewCredential
from store.store import Store
from store.totp import step_at
from store.values.bindings import ProviderInfo, ProviderKind
from store.values.sign_in import SecondFactorNeeded, SignedIn
from store.values.two_factor import Enrolment
from tests.harness.statement_events import listen_before
from tests.harness.stores import PASSWORD, SOURCE, START, StillClock

GITHUB: Final = "github"


@dataclass(frozen=True)
class Person:
    """Somebody with an account and an open session."""

    id: int
    name: str
    token: str


def code_at(secret: str, clock: StillClock, steps: int = 0) -> str:
    """The code of an authenticator, `steps` half minutes from now."""
    return pyotp.TOTP(secret).generate_otp(step_at(clock.now()) + steps)


def enrol(store: Store, clock: StillClock, token: str) -> Enrolment:
    """Switch two-factor authentication on, and let the step that confirmed it pass."""
    enrolment = store.two_factor.begin(token)
    store.two_factor.confirm_saved(token, enrolment.codes[0])
    store.two_factor.complete(token, code_at(enrolment.secret, clock))
    clock.advance(seconds=30)
    return enrolment


def prove(store: Store, token: str) -> None:
    store.sign_in.prove_with_password(token, PASSWORD)


def ticket_for(store: Store, name: str = "alice", *, source: str = SOURCE) -> str:
    """The ticket of a sign-in that waits for its second factor."""
    answer = store.sign_in.with_password(name, PASSWORD, source=source)
    assert isinstance(answer, SecondFactorNeeded)
    return answer.ticket


def session_of(answer: SignedIn | SecondFactorNeeded) -> str:
    """The token of a session that was opened at once."""
    assert isinstance(answer, SignedIn)
    return answer.token


def credential(number: int = 1, *, sign_count: int = 0) -> NewCredential:
    """A registered credential, as distinct as its number."""
    return NewCredential(
        credential_id=b"credential-%d" % number,
        public_key=b"key-%d" % number,
        sign_count=sign_count,
        aaguid="00000000-0000-0000-0000-000000000000",
        transports=("internal", "hybrid"),
        backed_up=True,
    )


def allow_passkeys(store: Store) -> None:
    store.site.set("passkeys.enabled", "true")


def allow_bindings(store: Store, slug: str = GITHUB) -> ProviderInfo:
    """Let accounts be bound, through one provider."""
    store.site.set("account_binding.enabled", "true")
    return store.bindings.add_provider(
        slug, slug.capitalize(), ProviderKind.GITHUB, issuer="", client_id="client", client_secret="planted-client"
    )


def configure_mail(store: Store) -> None:
    store.site.set("smtp.host", "mail.example.com")


def queued(store: Store) -> list[Job]:
    """Every delivery that is due."""
    return store.outbox.lease(100)


def tags(store: Store, account_id: int) -> list[str]:
    """The tags of an account's events, oldest first."""
    with store.database.read() as tx:
        return [event.tag for event in store.audit.page(tx, account_id, limit=1000)][::-1]


@contextmanager
def statements(store: Store) -> Iterator[list[str]]:
    """The SQL that reaches the database meanwhile, without what begins and ends a transaction."""
    seen: list[str] = []

    def listen(_connection: Connection, statement: str) -> None:
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    end = listen_before(store.database.engine, listen)
    try:
        yield seen
    finally:
        end()


def contents(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    with store.database.read() as tx:
        return {
            table.name: [tuple(row) for row in tx.execute(select(table).order_by(*table.primary_key.columns))]
            for table in METADATA.sorted_tables
        }


def plant_passkey(tx: Connection, account_id: int) -> int:
    row = tx.execute(
        insert(Passkey)
        .values(
            account_id=account_id,
            credential_id=b"id %d" % account_id,
            public_key=b"key",
            sign_count=0,
            label="key",
            label_key="key",
            aaguid="",
            transports=[],
            backed_up=False,
            created_at=START,
        )
        .returning(Passkey.c.id)
    )
    return int(row.scalar_one())


def fail_between(*_arguments: object, **_more: object) -> None:
    """Stands in for a step in the middle of an act, and fails."""
    raise GatekeyError


def assert_each_refused(error: type[GatekeyError], *acts: Callable[[], object], match: str | None = None) -> None:
    for act in acts:
        with pytest.raises(error, match=match):
            act()
