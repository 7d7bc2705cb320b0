"""The protocols of the account: `LocalAccount` implements each of them, and every method is documented."""

import inspect
import re
import typing
from collections.abc import Iterator
from typing import Any, Final

import grimp
import pytest

from store import errors, settings
from tests.harness.stores import make_store
from tui import account
from tui.account import AccountService, FileService
from tui.local_account import LocalAccount
from tui.local_account.files import LocalFiles
from tui.store_location import Options

TOPICS: Final[tuple[type[Any], ...]] = tuple(
    base for base in AccountService.__mro__[1:] if base.__module__.startswith("tui.account.")
)
PROTOCOLS: Final[tuple[type[Any], ...]] = (*TOPICS, FileService)


def members(protocol: type[Any]) -> Iterator[tuple[str, Any]]:
    """The public methods and properties that a protocol declares itself."""
    for name, member in vars(protocol).items():
        if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, property)):
            yield name, member


MEMBERS: Final = [
    pytest.param(protocol, name, member, id=f"{protocol.__name__}.{name}")
    for protocol in PROTOCOLS
    for name, member in members(protocol)
]


def service(options: Options) -> AccountService:
    """For the type checker: it compares every signature."""
    return LocalAccount(options)


def file_service(files: LocalFiles) -> FileService:
    """For the type checker."""
    return files


def test_every_topic_is_found() -> None:
    exported = {getattr(account, name) for name in account.__all__ if name.endswith("Service")}
    assert {*PROTOCOLS, AccountService} == exported
    assert len(MEMBERS) > 60


@pytest.mark.parametrize(("protocol", "name", "member"), MEMBERS)
def test_the_local_account_has_it_with_the_same_signature(protocol: type[Any], name: str, member: Any) -> None:
    implementation = LocalFiles if protocol is FileService else LocalAccount
    own = inspect.getattr_static(implementation, name, None)
    if own is None:  # an attribute of each object
        assert isinstance(member, property)
        with make_store() as store:
            assert hasattr(LocalAccount(Options(), opened=store), name)
    elif isinstance(member, property):
        assert isinstance(own, property)
        assert inspect.signature(own.fget) == inspect.signature(member.fget)  # type: ignore[arg-type]
    else:
        assert inspect.signature(own) == inspect.signature(member)
        assert inspect.iscoroutinefunction(own) == inspect.iscoroutinefunction(member)


@pytest.mark.parametrize(("protocol", "name", "member"), MEMBERS)
def test_its_docstring_names_what_it_raises(protocol: type[Any], name: str, member: Any) -> None:
    text = " ".join((inspect.getdoc(member) or "").split())
    _, verb, raised = text.partition("Raises ")
    assert verb, text
    named = re.findall(r"`([A-Z][a-z]\w+)`", raised)
    assert [word for word in named if not is_error(word)] == []
    assert named or re.search("the (session|data) errors|nothing", raised), text


def is_error(name: str) -> bool:
    found = getattr(errors, name, getattr(settings, name, None))
    return isinstance(found, type) and issubclass(found, errors.GatekeyError)


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.__name__)
def test_a_topic_is_a_protocol_that_says_what_it_does(protocol: type[Any]) -> None:
    assert getattr(protocol, "_is_protocol", False)
    assert inspect.getdoc(protocol) != inspect.getdoc(typing.Protocol)


def test_no_method_is_in_two_topics() -> None:
    names = [name for topic in TOPICS for name, _ in members(topic)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("package", ["tui.account", "store.values", "store.sections"])
def test_a_value_needs_no_database_no_network_and_no_terminal(package: str) -> None:
    """Imports for types alone count too: who makes the value that a method returns imports its module."""
    graph = grimp.build_graph(
        "tui", "store", "gateway", include_external_packages=True, exclude_type_checking_imports=False, cache_dir=None
    )
    for heavy in ("sqlalchemy", "textual", "httpx", "gateway"):
        assert graph.find_shortest_chain(package, heavy, as_packages=True) is None
