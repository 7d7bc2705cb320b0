"""The footer of a list: what its keys do to the row under the cursor, and which do nothing."""

import pytest

from screens.settings.passkeys import Passkeys
from tests.harness.console_steps import footer_keys, open_module
from tests.harness.consoles import Stage, console
from tests.harness.drawers import PLACE
from tests.harness.stores import sign_in, store_with_account


def works(stage: Stage) -> set[str]:
    return set(footer_keys(stage))


def is_grey(stage: Stage) -> set[str]:
    return set(footer_keys(stage, enabled=False))


async def test_a_key_that_is_disabled_is_enabled() -> None:
    store = store_with_account()
    store.api_keys.create(sign_in(store), "laptop")
    async with console(store) as stage:
        await open_module(stage, "api-keys")
        assert "d Disable" in works(stage)
        await stage.press("d")
        assert "d Enable" in works(stage)
        assert "d Disable" not in works(stage) | is_grey(stage)
        await stage.press("d")
        assert "d Disable" in works(stage)


async def test_nothing_is_done_to_a_revoked_key_and_the_word_for_hiding_follows() -> None:
    store = store_with_account()
    token = sign_in(store)
    store.api_keys.create(token, "laptop")
    gone = store.api_keys.create(token, "phone")
    async with console(store) as stage:
        await open_module(stage, "api-keys")
        assert "h Hide revoked" in is_grey(stage)
        store.api_keys.revoke(token, gone.info.id)
        await stage.press("f5", "home")
        assert {"h Hide revoked", "d Disable", "x Revoke"} <= works(stage)
        await stage.press("end")
        assert {"d Disable", "o Rotate", "x Revoke", "y How to use"} <= is_grey(stage)
        await stage.press("h")
        assert "h Show revoked" in works(stage)
        await stage.press("h")
        assert "h Hide revoked" in works(stage)


@pytest.mark.parametrize(
    ("key", "grey"),
    [
        ("h", {"e Rename", "d Remove"}),
        ("w", {"c Copy command", "d Remove"}),
        ("s", {"e End session", "o End all others"}),
    ],
)
async def test_keys_of_a_list_without_rows_are_grey(key: str, grey: set[str]) -> None:
    async with console(fetch_place=PLACE, size=(120, 40)) as stage:
        await stage.press("2", key)
        assert grey <= is_grey(stage)


async def test_a_passkey_cannot_be_registered_where_the_site_has_none(stage: Stage) -> None:
    await stage.app.push_screen(Passkeys(can_register=False))
    await stage.settle()
    assert {"n Register", "e Rename", "d Remove"} <= is_grey(stage)
    assert not stage.says("Register your first with n.")
