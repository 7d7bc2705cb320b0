"""The ground of every test: a still terminal, a fixed environment, and the programs it needs."""

import gc
import os
import signal
import sqlite3
import time
from collections.abc import Hashable, Iterator
from contextlib import closing

import hypothesis
import pytest
from textual.css import stylesheet
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.widgets import Button, Input

from store import schema
from store.database import Database
from tests import parts
from tests.harness import brief_run
from tests.harness.lock_order import watch_lock_order
from tests.harness.nested_transactions import watch_nested_transactions
from tui import input_queue

pytest_plugins = ("tests.harness.fixtures", "tests.harness.loopback")

STRANGERS = ("NO_COLOR", "COLORTERM", "FORCE_COLOR", "TMUX")
"""Variables of the person running the tests that would change what is drawn."""

FAMILIES = ("TEXTUAL", "GATEKEY")
"""Prefixes of such variables."""

SPARED = ("TEXTUAL_SNAPSHOT", parts.REQUIRE_ALL)
"""Prefixes of those that the snapshot plugin sets for itself, and of the tests' own switch."""


WORKERS_PER_CORE = 2
"""Under `-n auto`. A third of the time a test waits: for an idle screen, a process or a socket."""


def pytest_xdist_auto_num_workers() -> int:
    return WORKERS_PER_CORE * len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else WORKERS_PER_CORE


def pytest_configure() -> None:
    # A shell's job in the background ignores it, and so would a server that a test interrupts (nohup does the same).
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # A console leaves many objects, and a fifth of a test's time goes to looking for cycles.
    gc.set_threshold(50_000, 20, 20)
    # An example that takes longer than others on a busy machine is no fault.
    hypothesis.settings.register_profile(
        "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
    )
    hypothesis.settings.load_profile("any machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    brief_run.add_option(parser)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if brief_run.is_brief(config):
        brief_run.shorten(config, items)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose parts are missing, before anything is set up for it."""
    for mark in item.iter_markers("needs"):
        parts.need(*mark.args)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    """After everything else, say what was not tested, and how to have it tested."""
    yield
    skipped = [str(report.longrepr) for report in terminalreporter.getreports("skipped")]
    if missing := parts.not_tested(skipped):
        terminalreporter.section("not tested on this machine", yellow=True)
        for part, count in missing.items():
            terminalreporter.line(f"{part.missing}: {count} {'test' if count == 1 else 'tests'} skipped")
        packages = {package for part in missing for package in part.packages}
        terminalreporter.line(f"To test all of it, install what is missing as root: {parts.install(packages)}")


@pytest.fixture(autouse=True, scope="session")
def schema_in_memory() -> Iterator[None]:
    """The tables of a database in memory are created once and copied from then on: that costs a tenth of creating."""
    create = schema.create_in_memory
    with (
        closing(sqlite3.connect(":memory:", check_same_thread=False)) as template,
        pytest.MonkeyPatch.context() as patch,
    ):

        def copy(database: Database) -> None:
            keeper = database._keeper
            assert keeper is not None
            if template.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,):
                create(database)
                keeper.backup(template)
            else:
                template.backup(keeper)

        patch.setattr(schema, "create_in_memory", copy)
        yield


@pytest.fixture(autouse=True, scope="session")
def styles_parsed_once() -> Iterator[None]:
    """A style sheet is parsed once for each set of colours, and not by every console: its rules are only read.

    A test that counts what is parsed sees all of it.
    """
    parse_rules, parse = Stylesheet._parse_rules, vars(stylesheet)["parse"]
    parsed: dict[Hashable, list[RuleSet]] = {}

    def parse_once(sheet: Stylesheet, css: str, *source: Hashable, **more: Hashable) -> list[RuleSet]:
        key = (frozenset(sheet._variables.items()), css, source, frozenset(more.items()))
        if key not in parsed or vars(stylesheet)["parse"] is not parse:
            parsed[key] = parse_rules(sheet, css, *source, **more)  # type: ignore[arg-type] # passed on as they came
        return parsed[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stylesheet, "_parse_rules", parse_once)
        yield


@pytest.fixture(autouse=True, scope="session")
def lock_order() -> Iterator[None]:
    """A transaction that could deadlock with a deletion on PostgreSQL fails its test, on SQLite too."""
    yield from watch_lock_order()


@pytest.fixture(autouse=True, scope="session")
def nested_transactions() -> Iterator[None]:
    """A transaction inside another one fails its test."""
    yield from watch_nested_transactions()


@pytest.fixture(autouse=True)
def still_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cursor that blinks makes two pictures of one screen, and so does a button that looks pressed for 0.2 seconds.

    Such a button does not take another press either.
    """
    monkeypatch.setattr(Input, "_toggle_cursor", lambda _self: None)
    monkeypatch.setattr(Button, "_start_active_affect", lambda _self: None)


@pytest.fixture(autouse=True)
def patient_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine at work on other things is slow, not broken: keys wait longer for a dialog that is on its way."""
    monkeypatch.setattr(input_queue, "HOLD_TIMEOUT_S", 30.0)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No setting of the person running the tests reaches them, and every clock shows UTC."""
    for name in list(os.environ):
        if name in STRANGERS or (name.startswith(FAMILIES) and not name.startswith(SPARED)):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    time.tzset()


@pytest.fixture
def anyio_backend() -> str:
    """The asynchronous tests run on asyncio, as Textual does."""
    return "asyncio"
