"""Help on a server names nothing that the account there has not."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from textual.screen import Screen

from screens.help import purpose_of
from screens.limited_text import reworded
from screens.lock import LockScreen
from screens.modules.api_key_use import UseKey
from screens.modules.log_details import LogDetails
from screens.modules.module_page import ModulePage
from screens.modules.playground_options import EditOptions, PlaygroundOptions
from screens.modules.redeem_code import RedeemCode
from screens.modules.row_export import ExportRows
from screens.reauthenticate import Reauthenticate
from screens.recommendations import RecommendationList
from screens.settings.access_token import AccessToken, ApiKey
from screens.settings.change_password import ChangePassword
from screens.settings.passkeys import Passkeys
from screens.settings.sessions import SessionList
from store.values.access_token import AccessTokenInfo, NewAccessToken
from store.values.api_keys import ApiKeyInfo, NewApiKey
from store.values.usage import Kind, LoggedEntry, UsageEntry
from tests.harness.console_steps import open_module
from tests.harness.consoles import Stage
from tests.harness.remote_consoles import remote_console
from tests.new_api.generations import Generation
from tests.new_api.running import StandIn, in_memory

NOW = datetime(2026, 11, 23, tzinfo=UTC)
KEY = ApiKeyInfo(1, "laptop", "abcd", NOW)
CALL = LoggedEntry(1, NOW, UsageEntry(Kind.CONSUMPTION, "m"))


async def unwritten(*_: Any) -> Any:
    raise AssertionError


DIALOGS: dict[str, Callable[[], Screen[Any]]] = {
    "recommendations": lambda: RecommendationList(()),
    "change-password": ChangePassword,
    "export": lambda: ExportRows("Every entry.", "log.csv", unwritten),
    "use-key": lambda: UseKey(KEY),
    "sessions": SessionList,
    "token": lambda: AccessToken(NewAccessToken("t", AccessTokenInfo("abcd", NOW, None))),
    "key": lambda: ApiKey(NewApiKey("sk-1", KEY)),
    "passkeys": lambda: Passkeys(can_register=True),
    "redeem": RedeemCode,
    "options": lambda: EditOptions(PlaygroundOptions()),
    "call": lambda: LogDetails(CALL),
    "proof": Reauthenticate,
    "lock": LockScreen,
}
NOT_ON_A_SERVER = (
    *("five", "Five", "drawer", "SSH", "hash", "gatekey serve", "this machine", "counter ran backwards"),
    *("twelve hours", "last notifications", "every few seconds", "signing in is not affected", "An image"),
    *("price of that time", "password or a code", "goes to the oldest"),
)
MODULES = ("overview", "usage-logs", "drawing-logs", "task-logs", "wallet", "api-keys", "playground")


def foreign(text: str) -> list[str]:
    return [words for words in NOT_ON_A_SERVER if words in text]


async def test_dialogs_on_a_server_name_what_is_there(standin: StandIn) -> None:
    async with remote_console(standin) as stage:
        found = {}
        for name, make in DIALOGS.items():
            dialog = make()
            await stage.app.push_screen(dialog)
            found[name] = foreign(purpose_of(dialog))
            await dialog.dismiss(None)
    assert found == {name: [] for name in DIALOGS}


async def test_pages_on_a_server_name_what_is_there(standin: StandIn) -> None:
    async with remote_console(standin) as stage:
        found = {}
        for module in MODULES:
            await open_module(stage, module)
            found[module] = foreign(purpose_of(stage.app.screen.query_one(f"#{module}-page", ModulePage)))
    assert found == {module: [] for module in MODULES}


async def test_an_account_without_limits_has_the_whole_text(stage: Stage) -> None:
    for make in DIALOGS.values():
        dialog = make()
        await stage.app.push_screen(dialog)
        assert purpose_of(dialog) == getattr(dialog, "HELP_TEXT")  # noqa: B009
        await dialog.dismiss(None)


async def test_a_lock_on_a_server_asks_for_the_password_alone() -> None:
    with in_memory(Generation.AUG) as standin:
        async with remote_console(standin, press="ctrl+l") as stage:
            assert isinstance(stage.app.screen, LockScreen)
            assert not stage.says("authenticator code")
            await stage.press("enter")
            assert stage.says("Enter your password.")


def test_a_part_that_the_text_has_not_is_an_error() -> None:
    assert reworded("One. Two.", ("a limit", " Two.", ""), ("", "Three", "3")) == "One."
    with pytest.raises(ValueError, match="Three"):
        reworded("One. Two.", ("a limit", "Three", ""))
