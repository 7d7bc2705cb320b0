"""Every failure has a title and a sentence, stands where the tree says, and no driver's error is missed."""

import importlib
import inspect
import pkgutil
import re
import sqlite3
from datetime import timedelta
from typing import Any

import psycopg
import psycopg.errors
import pytest
from sqlalchemy import exc

import store
from store import errors
from store.database import Database
from store.driver_errors import POSTGRESQL_ERRORS, SQLITE_ERRORS, translate
from store.errors import (
    ClockSkewed,
    DatabaseAccessDenied,
    DatabaseBusy,
    DatabaseDamaged,
    DatabaseForeign,
    DatabaseFull,
    DatabaseReadOnly,
    DatabaseRefused,
    DatabaseUnreachable,
    GatekeyError,
    ModelNotPriced,
    ModelSpeltOtherwise,
    StoreUnavailable,
    TooManyAttempts,
)
from store.text import is_sanitized

ALL = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, GatekeyError)]
ARGUMENTS: dict[type[GatekeyError], tuple[Any, ...]] = {
    ClockSkewed: (30,),
    TooManyAttempts: (timedelta(seconds=60),),
    ModelSpeltOtherwise: ("gpt",),
    ModelNotPriced: ("gpt-5",),
    errors.ModelNotAllowed: ("gpt-5",),
    errors.RequestRateReached: (60, timedelta(seconds=20)),
    errors.DatabaseNotUtf8: ("SQL_ASCII",),
}


WITHOUT_STOP = (errors.PasskeysDisabled, errors.SchemaTooOld)
"""One is a sentence of the documentation, the other ends in a command to copy."""


def descendants(kind: type) -> set[type]:
    below: set[type] = set(kind.__subclasses__())
    return below.union(*(descendants(one) for one in below))


# -- the tree ---------------------------------------------------------------------------------------------------


def drawn() -> dict[str, str]:
    """Each name in the drawing, and its parent's."""
    parents: dict[str, str] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"([│├└─ ]*)(.+)", line)
        if match is None or not (line.startswith("GatekeyError") or match[1]):
            continue
        names = []
        for word in match[2].split():
            if not re.fullmatch(r"[A-Z]\w+", word):
                break
            names.append(word)
        depth = len(match[1]) // 4
        del path[depth:]
        for name in names:
            assert name not in parents, f"{name} is drawn twice"
            parents[name] = path[-1] if path else ""
        path.append(names[-1])
    return parents


def test_the_tree_is_drawn_as_it_is() -> None:
    real = {kind.__name__: "" if kind is GatekeyError else kind.__bases__[0].__name__ for kind in ALL}
    assert drawn() == real


def test_no_error_is_hidden_elsewhere() -> None:
    for module in pkgutil.iter_modules(store.__path__, "store."):
        if module.name != "store.migrations":
            importlib.import_module(module.name)
    elsewhere = {kind.__qualname__ for kind in descendants(GatekeyError) if kind.__module__.startswith("store.")}
    assert elsewhere - {kind.__name__ for kind in ALL} == {"SettingsConflict"}


# -- what a person reads ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_every_error_has_a_title_and_a_sentence(kind: type[GatekeyError]) -> None:
    error = kind(*ARGUMENTS.get(kind, ()))
    sentence = str(error)
    assert is_sanitized(sentence)
    assert is_sanitized(error.title)
    assert sentence[0].isupper()
    assert sentence.endswith(".") or kind in WITHOUT_STOP
    assert error.title[0].isupper()
    assert not error.title.endswith((".", "!"))
    assert len(error.title) <= 45
    assert len(sentence) <= 160
    if kind is not GatekeyError:
        assert error.title != GatekeyError.title
    if not kind.__subclasses__():
        assert sentence != GatekeyError.sentence


def test_an_error_takes_a_sentence_and_a_field() -> None:
    error = errors.InvalidName("Not this one.", field="username")
    assert (str(error), error.field, error.title) == ("Not this one.", "username", "This name cannot be used")
    assert errors.InvalidName().field == ""


@pytest.mark.parametrize(
    ("wait", "seconds"),
    [(timedelta(0), 1), (timedelta(seconds=-5), 1), (timedelta(milliseconds=1), 1), (timedelta(seconds=59.2), 60)],
)
def test_a_wait_is_rounded_up(wait: timedelta, seconds: int) -> None:
    error = TooManyAttempts(wait)
    assert error.retry_after == timedelta(seconds=seconds)
    assert str(error) == f"Too many attempts. Try again in {seconds} seconds."


def test_a_failed_delivery_says_whether_to_try_again() -> None:
    failed = errors.DeliveryFailed("No.", retry_after=timedelta(seconds=5), permanent=True)
    assert (str(failed), failed.retry_after, failed.permanent) == ("No.", timedelta(seconds=5), True)
    assert (errors.DeliveryFailed().retry_after, errors.DeliveryFailed().permanent) == (None, False)


# -- the drivers' errors ----------------------------------------------------------------------------------------


def from_sqlite(
    code: int | None, message: str = "", kind: type[sqlite3.Error] = sqlite3.OperationalError
) -> exc.DBAPIError:
    origin = kind(message)
    if code is not None:
        origin.sqlite_errorcode = code
    return exc.OperationalError("SELECT 1", {}, origin)


def from_postgres(origin: Exception, kind: type[exc.DBAPIError] = exc.OperationalError) -> exc.DBAPIError:
    return kind("SELECT 1", {}, origin)


SQLITE_CODES = {
    name: code
    for name, code in inspect.getmembers(sqlite3)
    if name.startswith("SQLITE_") and isinstance(code, int) and not re.match(r"SQLITE_(LIMIT|DBCONFIG)_", name)
}
SQLSTATES = {
    kind.sqlstate: kind
    for _, kind in inspect.getmembers(psycopg.errors, inspect.isclass)
    if issubclass(kind, psycopg.Error) and kind.sqlstate
}


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (sqlite3.SQLITE_BUSY, DatabaseBusy),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, DatabaseBusy),
        (sqlite3.SQLITE_LOCKED, DatabaseBusy),
        (sqlite3.SQLITE_FULL, DatabaseFull),
        (sqlite3.SQLITE_READONLY, DatabaseReadOnly),
        (sqlite3.SQLITE_READONLY_DBMOVED, DatabaseReadOnly),
        (sqlite3.SQLITE_CANTOPEN, DatabaseUnreachable),
        (sqlite3.SQLITE_IOERR_READ, DatabaseUnreachable),
        (sqlite3.SQLITE_NOTADB, DatabaseForeign),
        (sqlite3.SQLITE_CORRUPT, DatabaseDamaged),
        (sqlite3.SQLITE_CORRUPT_INDEX, DatabaseDamaged),
        (sqlite3.SQLITE_CONSTRAINT_UNIQUE, DatabaseRefused),
        (sqlite3.SQLITE_TOOBIG, DatabaseRefused),
        (None, DatabaseRefused),
    ],
)
def test_what_sqlite_reports(code: int | None, kind: type[StoreUnavailable]) -> None:
    assert type(translate(from_sqlite(code))) is kind


@pytest.mark.parametrize("message", ["no such table: accounts", "no such column: accounts.role"])
def test_a_missing_table_is_another_programs_file(message: str) -> None:
    assert type(translate(from_sqlite(sqlite3.SQLITE_ERROR, message))) is DatabaseForeign
    assert type(translate(from_sqlite(sqlite3.SQLITE_ERROR, "near x: syntax error"))) is DatabaseRefused


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("08006", DatabaseUnreachable),
        ("28P01", DatabaseAccessDenied),
        ("3D000", DatabaseAccessDenied),
        ("57P01", DatabaseUnreachable),
        ("58030", DatabaseUnreachable),
        ("40001", DatabaseBusy),
        ("40P01", DatabaseBusy),
        ("55P03", DatabaseBusy),
        ("53300", DatabaseBusy),
        ("53100", DatabaseFull),
        ("53200", DatabaseBusy),
        ("25006", DatabaseReadOnly),
        ("42P01", DatabaseForeign),
        ("42501", DatabaseAccessDenied),
        ("26000", DatabaseUnreachable),
        ("42P05", DatabaseUnreachable),
        ("57014", DatabaseBusy),
        ("57P03", DatabaseUnreachable),
        ("XX001", DatabaseDamaged),
        ("23505", DatabaseRefused),
        ("42601", DatabaseRefused),
        ("22003", DatabaseRefused),
    ],
)
def test_what_postgresql_reports(state: str, kind: type[StoreUnavailable]) -> None:
    assert type(translate(from_postgres(SQLSTATES[state]("sentence")))) is kind


def test_no_error_of_a_driver_is_missed() -> None:
    kinds = {exc.DBAPIError, *descendants(exc.DBAPIError)}
    origins: list[Exception] = []
    for code in SQLITE_CODES.values():
        for sqlite_kind in {sqlite3.Error, *descendants(sqlite3.Error)}:
            origin = sqlite_kind("sentence")
            origin.sqlite_errorcode = code
            origins += [origin, sqlite_kind("sentence")]
    origins += [kind("sentence") for kind in {psycopg.Error, *descendants(psycopg.Error)}]
    seen: dict[str, int] = {}
    for kind in kinds:
        for origin in origins:
            error = translate(kind("SELECT 1", {}, origin))
            assert isinstance(error, StoreUnavailable)
            assert "SELECT" not in str(error)
            assert "sentence" not in str(error)
            seen[type(error).__name__] = seen.get(type(error).__name__, 0) + 1
    print(f"driver errors mapped: {sum(seen.values())} pairs of {len(kinds)} classes and {len(origins)} errors: {seen}")
    assert set(SQLITE_ERRORS.values()) | set(POSTGRESQL_ERRORS.values()) <= {
        kind for kind in ALL if kind.__name__ in seen
    }
    assert len(SQLSTATES) > 200
    assert len(SQLITE_CODES) > 80


def test_a_connection_that_fails_without_a_state_is_unreachable() -> None:
    for failure in (psycopg.OperationalError("connection refused"), psycopg.errors.ConnectionTimeout("timeout")):
        assert type(translate(from_postgres(failure))) is DatabaseUnreachable
    misused = psycopg.InterfaceError("the cursor is closed")
    assert type(translate(from_postgres(misused, exc.InterfaceError))) is DatabaseRefused


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (exc.TimeoutError(), DatabaseBusy),
        (sqlite3.OperationalError("database is locked"), DatabaseRefused),
        (OverflowError(), DatabaseRefused),
        (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"), DatabaseRefused),
        (from_sqlite(sqlite3.SQLITE_FULL), DatabaseFull),
    ],
)
def test_what_passes_the_boundary_is_a_sentence(raised: Exception, kind: type[StoreUnavailable]) -> None:
    database = Database("sqlite://")
    with pytest.raises(kind) as caught, database.mapped():
        raise raised
    database.close()
    assert type(caught.value) is kind
    assert caught.value.__cause__ is raised


def test_an_error_of_our_own_passes_unchanged() -> None:
    database = Database("sqlite://")
    with pytest.raises(DatabaseForeign), database.mapped():
        raise DatabaseForeign
    with pytest.raises(ZeroDivisionError), database.mapped():
        raise ZeroDivisionError
    database.close()


NOT_THE_DATABASES = {
    "AmbiguousColumnError",
    "AmbiguousForeignKeysError",
    "ArgumentError",
    "AwaitRequired",
    "CircularDependencyError",
    "CompileError",
    "ConstraintColumnNotFoundError",
    "DisconnectionError",
    "DuplicateColumnError",
    "IdentifierError",
    "IllegalStateChangeError",
    "InvalidRequestError",
    "InvalidatePoolError",
    "MissingGreenlet",
    "MultipleResultsFound",
    "NoDBAPILoaded",
    "NoForeignKeysError",
    "NoInspectionAvailable",
    "NoReferenceError",
    "NoReferencedColumnError",
    "NoReferencedTableError",
    "NoResultFound",
    "NoSuchColumnError",
    "NoSuchModuleError",
    "NoSuchTableError",
    "ObjectNotExecutableError",
    "PendingRollbackError",
    "ResourceClosedError",
    "StatementError",
    "UnboundExecutionError",
    "UnreflectableTableError",
    "UnsupportedCompilationError",
}
"""Errors of SQLAlchemy that say that the program is wrong, not the database: they stay what they are."""


def test_every_error_of_sqlalchemy_was_thought_of() -> None:
    kinds = {kind for _, kind in inspect.getmembers(exc, inspect.isclass) if issubclass(kind, exc.SQLAlchemyError)}
    mapped = {exc.DBAPIError, *descendants(exc.DBAPIError), exc.TimeoutError, exc.SQLAlchemyError}
    assert {kind.__name__ for kind in kinds - mapped} == NOT_THE_DATABASES


SMALL = {"a", "an", "be", "been", "has", "have", "is", "it", "may", "not", "of", "the", "this", "to", "was"}
SAID_AGAIN = {errors.PasskeysDisabled}
"""Both are words of the documentation."""


@pytest.mark.parametrize("kind", [kind for kind in ALL if kind not in SAID_AGAIN], ids=lambda kind: kind.__name__)
def test_a_title_is_not_said_again_by_the_sentence_after_it(kind: type[GatekeyError]) -> None:
    """They stand one behind the other on the command line and in a notice."""
    said = set(re.findall(r"[a-z]+", kind.title.lower())) - SMALL
    first = re.findall(r"[a-z]+", str(kind(*ARGUMENTS.get(kind, ()))).lower().partition(". ")[0])
    assert not said <= set(first) | {"stays", "already"}
