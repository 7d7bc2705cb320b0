"""The topics that are created at their first use: each is created once, with what it needs."""

from functools import cached_property
from typing import Final

import pytest

from store.later_topics import LaterTopics
from store.store import Store
from tests.harness.fixtures import in_memory

NAMES: Final = [name for name, member in vars(LaterTopics).items() if isinstance(member, cached_property)]


@in_memory
@pytest.mark.parametrize("name", NAMES)
def test_a_topic_is_created_once(store: Store, name: str) -> None:
    member = vars(LaterTopics)[name]
    topic = getattr(store, name)
    assert type(topic).__name__ == member.func.__annotations__["return"].strip('"')
    assert getattr(store, name) is topic


def test_there_are_some() -> None:
    assert len(NAMES) > 20
