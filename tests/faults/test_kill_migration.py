"""`kill -9` while a database gets its first schema, and while it is upgraded: it has the old one or the new one."""

import shutil
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from store import schema
from store.database import Database
from store.models import METADATA
from store.revisions import schema_revision
from tests.faults.kill_report import KillReport, file_of, is_corrupt
from tests.faults.killed_process import TargetProcess, run_until_killed, sweep
from tests.faults.later_revision import LATER, plant, program_of
from tests.faults.populated_store import enable_everything, populate_account
from tests.harness.postgres import PostgresServer
from tests.harness.processes import enter
from tests.harness.stores import START, StillClock, add_account, make_store, sqlite_url


class Databases:
    """New databases of one kind, for a test that uses up one with each kill."""

    def __init__(self, folder: Path, server: PostgresServer | None) -> None:
        self._folder = folder
        self._server = server
        self._urls: list[str] = []

    def new(self, template: Path | None = None) -> str:
        """The URL of an empty database, or of one like the file `template`."""
        number = len(self._urls)
        if self._server is not None:
            self._urls.append(self._server.create(migrated=False))
            return self._urls[-1]
        (self._folder / str(number)).mkdir(mode=0o700)
        url = sqlite_url(self._folder / str(number))
        self._urls.append(url)
        path = file_of(url)
        if template is not None and path is not None:
            shutil.copyfile(template, path)
            path.chmod(0o600)
        return url

    def drop_last(self) -> None:
        if self._server is not None:
            self._server.drop(self._urls[-1])
        else:
            shutil.rmtree(self._folder / str(len(self._urls) - 1))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def databases(request: pytest.FixtureRequest, tmp_path: Path) -> Databases:
    server = request.getfixturevalue("postgres_server") if request.param == "postgresql" else None
    return Databases(tmp_path, server)


def start(target: TargetProcess) -> None:
    """Start for the first time on an empty database."""
    target.arm()
    with enter(target.url).store:
        target.say("started")


def upgrade(target: TargetProcess, program: Path, folder: Path) -> None:
    """The steps of `gatekey admin upgrade`: a copy of the old state, then the new schema."""
    with program_of(program), closing(Database(target.url)) as database:
        target.arm()
        copy = schema.back_up(database, folder, target.time)
        target.say(copy)
        schema.upgrade(database)
        target.say("upgraded")


def inhabited(url: str) -> str:
    """Somebody with a row in every table."""
    clock = StillClock()
    with make_store(url, clock=clock) as store:
        enable_everything(store)
        populate_account(store, clock)
    return url


def contents(url: str) -> tuple[str | None, dict[str, int]]:
    """The schema a database has, and how many rows lie where."""
    with closing(Database(url)) as database, database.read() as tx:
        rows = {
            table.name: tx.execute(select(func.count()).select_from(table)).scalar_one()
            for table in METADATA.sorted_tables
        }
        return schema.revision(tx), rows


def test_the_first_schema(databases: Databases, kill_count: int) -> None:
    report = KillReport("migrate-first", "")
    for kill_point in sweep(start, databases.new(), START, kill_count):
        url = databases.new()
        report.kind = url.partition(":")[0].partition("+")[0]
        said, was_killed = run_until_killed(start, url, START, kill_point)
        path = file_of(url)
        damaged = path is not None and path.exists() and is_corrupt(url)
        with make_store(url) as store:  # it starts again, and can be lived in
            add_account(store)
        found, rows = contents(url)
        report.note(
            was_killed=was_killed,
            is_corrupt=damaged or is_corrupt(url),
            is_half_done=found != schema_revision() or rows["accounts"] != 1,
            is_lost=bool(said) and rows["meta"] == 0,
        )
        databases.drop_last()
    report.check()


def test_an_upgrade(databases: Databases, tmp_path: Path, kill_count: int) -> None:
    report = KillReport("migrate-upgrade", "")
    program, copies = plant(tmp_path / "program"), tmp_path / "copies"
    copies.mkdir(mode=0o700)
    first = inhabited(databases.new())
    original = file_of(first)
    template = None
    if original is not None:
        template = tmp_path / "template"
        shutil.copyfile(original, template)
    before = contents(first)
    for number, kill_point in enumerate(sweep(upgrade, first, START, kill_count, program, copies)):
        url = databases.new(template)
        if template is None:
            inhabited(url)
        folder = copies / str(number)
        folder.mkdir(mode=0o700)
        report.kind = url.partition(":")[0].partition("+")[0]
        said, was_killed = run_until_killed(upgrade, url, START, kill_point, program, folder)
        damaged = is_corrupt(url)
        found, rows = contents(url)
        with program_of(program), closing(Database(url)) as database:
            schema.upgrade(database)
        again, rows_again = contents(url)
        copy = said[0] if said else None
        report.note(
            was_killed=was_killed,
            is_corrupt=damaged or is_corrupt(url),
            is_half_done=found not in (before[0], LATER) or rows != before[1] or (again, rows_again) != (LATER, rows),
            is_lost=("upgraded" in said and found != LATER) or (copy is not None and contents(as_url(copy)) != before),
        )
        databases.drop_last()
    report.check()


def partition(target: TargetProcess) -> None:
    """Upgrade from the revision before the usage log has partitions."""
    with closing(Database(target.url)) as database:
        target.arm()
        schema.upgrade(database)
        target.say("upgraded")


def with_a_whole_log(url: str) -> str:
    """A database of revision 0012, with 300 calls in four months."""
    with closing(Database(url)) as database:
        with pytest.MonkeyPatch.context() as earlier:
            earlier.setattr(schema, "schema_revision", lambda: "0012")
            schema.upgrade(database)
        with database.write() as tx:
            tx.execute(
                text(
                    "INSERT INTO accounts (id, name, name_key, email, role, auth_epoch, user_handle, created_at)"
                    " VALUES (1, 'a', 'a', 'a@example.com', 'user', 1, '1', '2026-01-01')"
                )
            )
            tx.execute(
                text(
                    "INSERT INTO usage_log (account_id, kind, at, model, api_key_name, request_id, status, detail,"
                    " prompt_tokens, completion_tokens, cost_micro_usd, duration_ms, unpriced)"
                    " SELECT 1, 'consumption', '2026-01-01 00:00+00'::timestamptz + n * interval '9 hours', 'm', 'k',"
                    " 'r' || n, 'ok', '', n, n, n * 7, 1, false FROM generate_series(1, 300) AS n"
                )
            )
    return url


def sums(url: str) -> tuple[str | None, tuple[object, ...]]:
    """The schema of a database, and what its usage log adds up to."""
    added_up = "SELECT count(*), count(DISTINCT id), sum(id), sum(cost_micro_usd), min(at), max(at) FROM usage_log"
    with closing(Database(url)) as database, database.read() as tx:
        return schema.revision(tx), tuple(tx.execute(text(added_up)).one())


def test_the_partitioning_of_the_log(postgres_server: PostgresServer, tmp_path: Path, kill_count: int) -> None:
    databases = Databases(tmp_path, postgres_server)
    report = KillReport("migrate-months", "postgresql")
    before = sums(with_a_whole_log(databases.new()))
    assert before[1][0] == 300
    for kill_point in sweep(partition, with_a_whole_log(databases.new()), START, kill_count):
        url = with_a_whole_log(databases.new())
        said, was_killed = run_until_killed(partition, url, START, kill_point)
        found = sums(url)
        with closing(Database(url)) as database:
            schema.upgrade(database)
        report.note(
            was_killed=was_killed,
            is_corrupt=False,
            is_half_done=found[0] not in (before[0], schema_revision()) or found[1] != before[1],
            is_lost=("upgraded" in said and found[0] == before[0]) or sums(url) != (schema_revision(), before[1]),
        )
        databases.drop_last()
    report.check()


def as_url(path: Path) -> str:
    return f"sqlite:///{path}"
