"""The chain of an exception: types and places, in the order in which Python prints them."""

from collections.abc import Callable

import pytest

from store.fault_places import chain


def fail_from_cause() -> None:
    try:
        raise KeyError("a secret")
    except KeyError as error:
        raise ValueError("another") from error


def fail_in_handler() -> None:
    try:
        raise KeyError("a secret")
    except KeyError:
        raise ValueError("another")  # noqa: B904 - the context is what is tested


def fail_without_context() -> None:
    try:
        raise KeyError("a secret")
    except KeyError:
        raise ValueError("another") from None


@pytest.mark.parametrize(
    ("fail", "longest", "kinds"),
    [
        (fail_from_cause, 9, ["builtins.ValueError", "builtins.KeyError"]),
        (fail_in_handler, 9, ["builtins.ValueError", "builtins.KeyError"]),
        (fail_without_context, 9, ["builtins.ValueError"]),
        (fail_from_cause, 1, ["builtins.ValueError"]),
        (fail_from_cause, 0, []),
    ],
)
def test_the_links_are_those_that_python_prints(fail: Callable[[], None], longest: int, kinds: list[str]) -> None:
    with pytest.raises(ValueError, match="another") as raised:
        fail()
    links = list(chain(raised.value, longest))
    assert [link.kind for link in links] == kinds
    for link in links:
        code, line = link.frames[-1]
        assert code.co_name == fail.__name__
        assert line > code.co_firstlineno
    assert "secret" not in repr(links)
