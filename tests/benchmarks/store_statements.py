"""A settings save and a token lookup, as the store does them and as bare SQLAlchemy Core on an open connection does.

The bare side runs the same statements, built once, on a connection that stays open with the same pragmas. It checks
nothing, seals nothing and makes no value of a row. That they are the same is not believed but compared, text by text.
"""

import itertools
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from sqlalchemy import BindParameter, Connection, bindparam, select, update

from store.access_token import _HOLDER
from store.audit import _APPEND, _CHAIN, _HOLD_TOTAL, _NEXT, _SEALS, _SET_TOTAL
from store.database import Database
from store.models import NotificationSettingsRow as Notifications
from store.sections import NotificationSettings
from store.sessions import _SESSION, digest
from store.store import Store
from tests.benchmarks.sides import Comparison, compare
from tests.harness.statement_events import listen_before
from tests.harness.stores import START, add_account, make_store, sign_in, sqlite_url

SAVE_BAR: Final = 2.0
LOOKUP_BAR: Final = 3.0

_SECTION: Final = select(Notifications).where(Notifications.c.account_id == bindparam("account"))
_PARAMETERS: Final[dict[str, BindParameter[Any]]] = {
    name: bindparam(f"new_{name}")
    for name in (
        "version",
        "threshold_micro_usd",
        "email_on",
        "email_address",
        "webhook_on",
        "webhook_url",
        "bark_on",
        "gotify_on",
        "gotify_url",
        "gotify_priority",
    )
}
_SAVE: Final = (
    update(Notifications)
    .where(Notifications.c.account_id == bindparam("account"), Notifications.c.version == bindparam("old_version"))
    .values(_PARAMETERS)
    .returning(*Notifications.c)
)


class BareCore:
    """The statements of the store on one open connection, and nothing around them."""

    def __init__(self, database: Database, account_id: int, session: str, token: str) -> None:
        self.connection: Connection = database.engine.connect()
        self._account = {"account": account_id}
        self._session = {"hashed": digest(session)}
        self._token = {"hashed": digest(token)}
        self._email_on = itertools.cycle((False, True))

    def save(self) -> None:
        execute = self.connection.execute
        self.connection.exec_driver_sql("BEGIN IMMEDIATE")
        execute(_SESSION, self._session).one()
        values = dict(execute(_SECTION, self._account).one()._mapping)
        version = values["version"]
        values |= {"version": version + 1, "email_on": next(self._email_on)}
        changed = {f"new_{name}": values[name] for name in _PARAMETERS}
        execute(_SAVE, self._account | changed | {"old_version": version}).one()
        head = execute(_NEXT, self._account).one()
        row = {"sequence": head.sequence, "at": START, "tag": "settings:saved", "actor": "bob", "source": "pts/0"}
        detail = {"section": "notifications", "version": version + 1}
        execute(_APPEND, row | {"account_id": self._account["account"], "detail": detail, "mac": head.mac})
        execute(_CHAIN, self._account | {"new_mac": head.mac, "new_seal": head.seal})
        # It counts no event and keeps the seals, so the total goes on to fit, and the store's side has all its work.
        total = execute(_HOLD_TOTAL, {"more": 0}).one()
        execute(_SEALS, {"accounts": [self._account["account"]]}).scalars().all()
        execute(_SET_TOTAL, {name: getattr(total, name) for name in ("sequence", "mac", "seals", "total_mac")})
        self.connection.commit()

    def look_up(self) -> None:
        self.connection.exec_driver_sql("BEGIN")
        self.connection.execute(_HOLDER, self._token).one()
        self.connection.rollback()


class ThroughStore:
    """The same acts by the store's own methods."""

    def __init__(self, store: Store, session: str, token: str) -> None:
        self._store = store
        self._session = session
        self._token = token
        self._saved = store.settings.load(session, NotificationSettings)

    def save(self) -> None:
        section = self._saved.section
        edited = replace(section, email_on=not section.email_on)
        self._saved = self._store.settings.save(self._session, edited, self._saved.version)

    def look_up(self) -> None:
        self._store.access_token.authenticate(self._token)


def compare_statements(folder: Path, turns: int) -> list[Comparison]:
    """The save and the lookup. Raises `AssertionError` if the two sides do not run the same statements."""
    url = sqlite_url(folder)
    with make_store(url) as store, closing(Database(url)) as database:
        ids = {name: add_account(store, name).id for name in ("alice", "bob")}
        sessions = {name: sign_in(store, name, source=name) for name in ids}
        tokens = {name: store.access_token.generate(sessions[name]).token for name in ids}
        ours = ThroughStore(store, sessions["alice"], tokens["alice"])
        bare = BareCore(database, ids["bob"], sessions["bob"], tokens["bob"])
        pairs = (
            ("settings save", ours.save, bare.save, SAVE_BAR),
            ("access token lookup", ours.look_up, bare.look_up, LOOKUP_BAR),
        )
        compared = []
        for what, through_store, by_core, bar in pairs:
            through_store()  # the first use of a token notes that it was used
            same = texts(store.database, through_store), texts(database, by_core)
            assert same[0] == same[1], f"the {what} runs other statements than it is compared with"
            compared.append(compare(what, through_store, by_core, bar=bar, turns=turns))
        bare.connection.close()
    return compared


def texts(database: Database, act: Callable[[], object]) -> list[str]:
    """The SQL that `act` sends, but for what begins and ends its transaction."""
    seen: list[str] = []

    def listen(_connection: Connection, statement: str) -> None:
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    end = listen_before(database.engine, listen)
    try:
        act()
    finally:
        end()
    return seen
