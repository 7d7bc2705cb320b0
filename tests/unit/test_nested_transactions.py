"""`tests.harness.nested_transactions` notices a transaction of the product inside another one, and no other."""

import pytest

from tests.harness.stores import make_store


def test_one_inside_another_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    with make_store() as store:
        monkeypatch.setattr(store.database, "before_commit", store.site.get)
        with pytest.raises(AssertionError, match=r"Site\.get begins a transaction inside that of .*Site\.set"):
            store.site.set("smtp.host", "mail.example.com")


def test_one_after_another_is_not() -> None:
    with make_store() as store:
        store.site.set("smtp.host", "mail.example.com")
        assert store.site.get("smtp.host") == "mail.example.com"


def test_one_that_stands_for_a_second_program_is_not() -> None:
    with make_store() as store, store.database.read():
        assert store.site.get("smtp.host") == ""
