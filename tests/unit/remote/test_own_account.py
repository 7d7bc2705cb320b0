"""The account as the server tells it."""

from typing import Any

import pytest

from remote.fields import Fields
from remote.own_account import Role, own_account
from store.errors import AnswerUnreadable
from tests.harness.scripted_server import SELF


def account(**members: Any) -> Any:
    return own_account(Fields(SELF | members))


def test_an_account_is_read() -> None:
    found = account(github_id="octo", linux_do_id="", email="alice@example.com", quota=7)
    assert (found.id, found.name, found.role, found.quota) == (2, "alice", Role.USER, 7)
    assert found.bound == (("github", "octo"),)
    assert (found.language, found.billing_preference, found.sidebar_text) == ("en", "", "")
    assert found.has_password is None
    assert account(has_password=False).has_password is False


@pytest.mark.parametrize(("number", "role"), [(1, Role.USER), (10, Role.ADMINISTRATOR), (100, Role.ROOT)])
def test_a_role_is_read(number: int, role: Role) -> None:
    assert account(role=number).role is role


@pytest.mark.parametrize("setting", ["", "no JSON", "[]", "[" * 100_000, 7, None])
def test_settings_that_cannot_be_read_are_none(setting: object) -> None:
    assert dict(account(setting=setting).settings.members) == {}


def test_the_sidebar_is_found_in_both_places() -> None:
    assert account(sidebar_modules='{"a":1}').sidebar_text == '{"a":1}'
    assert account(setting='{"sidebar_modules":"{}"}').sidebar_text == "{}"


@pytest.mark.parametrize("missing", [{"id": 0}, {"id": "2"}, {"username": ""}, {"username": None}])
def test_an_account_without_id_or_name_is_none(missing: dict[str, Any]) -> None:
    with pytest.raises(AnswerUnreadable):
        account(**missing)


def test_hostile_text_is_sanitized_and_secrets_are_not_shown() -> None:
    found = account(display_name="\x1b]0;x\x07Al\N{RIGHT-TO-LEFT OVERRIDE}ice", setting='{"webhook_secret":"secret"}')
    assert "\x1b" not in found.display_name
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in found.display_name
    assert "secret" not in repr(found)
