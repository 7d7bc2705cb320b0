"""The drawer in the console of `gatekey ssh`: what is saved goes there, and the list tells how to fetch it."""

import json
from dataclasses import replace

import pytest
from textual.widgets import Button, Input

from screens.commands import commands
from screens.console import Console
from screens.in_drawer import InDrawer
from screens.modules.row_export import ExportRows
from screens.settings.drawer import DrawerList, size_words
from store import drawer_parts
from store.store import Store
from tests.harness.consoles import PASSWORD, Stage, console
from tests.harness.drawers import PLACE, fetch
from tests.harness.stores import sign_in, store_with_account
from tests.snapshots.scenes import busy_store, drawer_store
from tui.widgets.confirm import Confirm


def token_of(stage: Stage) -> str:
    token: str = stage.app.account._token  # type: ignore[attr-defined]
    return token


def kept(stage: Stage) -> list[str]:
    return [item.name for item in stage.store.drawer.list(token_of(stage))]


async def test_an_export_goes_to_the_drawer_and_the_dialog_tells_how_to_fetch_it() -> None:
    async with console(fetch_place=PLACE) as stage:
        assert stage.says("Drawer ○ empty")
        await stage.press("e")
        assert isinstance(stage.app.screen, InDrawer)
        assert stage.says("export.json is kept encrypted for one hour, and can be fetched once. On your own machine:")
        assert stage.says("scp -P 2222 alice@gateway.example.com:export.json .")
        assert not stage.says("It asks for your password")
        await stage.press("c")
        assert stage.says("Sent to the terminal's clipboard.")
        await stage.press("escape")
        assert stage.says("Saved to your drawer as export.json, for one hour.")
        assert stage.says("● 1 item · gone in 1 h") or stage.says("● 1 item · gone in 59 min")
        document = json.loads(fetch(stage.store, token_of(stage), "export.json"))
    assert document["format"] == "gatekey-export"


async def test_an_export_needs_a_fresh_proof_there_too() -> None:
    async with console(fetch_place=PLACE) as stage:
        stage.clock.advance(minutes=6)
        await stage.press("e")
        assert kept(stage) == []
        await stage.type(PASSWORD)
        await stage.press("enter")
        assert isinstance(stage.app.screen, InDrawer)
        assert kept(stage) == ["export.json"]


async def test_the_password_is_asked_for_where_no_key_opened_the_account() -> None:
    async with console(fetch_place=replace(PLACE, asks_password=True)) as stage:
        await stage.press("e")
        assert stage.says("scp -P 2222 -o PubkeyAuthentication=no alice@gateway.example.com:export.json .")
        assert stage.says("It asks for your password, and for a code where two-factor authentication is on.")
        await stage.press("escape", "w")
        assert stage.says("It asks for your password, and for a code where two-factor authentication is on.")


async def test_the_site_names_the_address_in_the_command() -> None:
    async with console(fetch_place=PLACE) as stage:
        stage.store.site.set("ssh.address", "[2001:db8::7]:22")
        await stage.press("e")
        assert stage.says("scp 'alice@[2001:db8::7]:export.json' .")


async def test_the_list_shows_what_is_there_and_removes_it() -> None:
    async with console(drawer_store(), fetch_place=PLACE) as stage:
        await stage.press("w")
        assert isinstance(stage.app.screen, DrawerList)
        assert stage.says("backup-codes.txt 120 B in 59 min")
        assert stage.says("scp -P 2222 alice@gateway.example.com:backup-codes.txt .")
        await stage.press("down")
        assert stage.says("scp -P 2222 alice@gateway.example.com:usage-logs.csv .")
        await stage.press("c")
        assert stage.says("Sent to the terminal's clipboard.")
        await stage.press("d")
        assert isinstance(stage.app.screen, Confirm)
        await stage.press("y")
        assert stage.says("It was removed.")
        assert kept(stage) == ["backup-codes.txt", "export.json"]
        stage.store.drawer.remove(token_of(stage), stage.store.drawer.list(token_of(stage))[0].id)
        await stage.press("home", "d")
        await stage.press("y")
        assert stage.says("it was fetched, it was removed, or its hour is over")
        await stage.press("d")
        await stage.press("y")
        assert stage.says("It is empty. What you save in this console comes here")
        assert all(button.disabled for button in stage.app.screen.query("#copy, #remove").results(Button))
        await stage.press("c", "d")
        assert isinstance(stage.app.screen, DrawerList)


async def test_an_empty_list_tells_what_it_is_for() -> None:
    async with console(fetch_place=PLACE) as stage:
        await stage.press("w")
        assert stage.says("It is empty. What you save in this console comes here")
        assert stage.says("Then this shows the command that fetches it.")


async def test_a_log_goes_to_the_drawer_in_the_format_that_was_chosen() -> None:
    async with console(busy_store(), fetch_place=PLACE) as stage:
        screen = stage.app.screen
        assert isinstance(screen, Console)
        await screen.open_module("usage-logs")
        await stage.settle()
        await stage.press("e")
        assert isinstance(stage.app.screen, ExportRows)
        assert not stage.app.screen.query(Input)
        assert stage.says("Into your drawer as")
        await stage.press("ctrl+t")
        assert stage.says("usage-logs.json")
        await stage.press("enter")
        assert stage.says("scp -P 2222 alice@gateway.example.com:usage-logs.json .")
        await stage.press("escape")
        rows = json.loads(fetch(stage.store, token_of(stage), "usage-logs.json"))
        assert stage.says(f"{len(rows)} rows. Saved to your drawer as usage-logs.json, for one hour."), stage.text()
        assert {row["model"] for row in rows} == {"gpt-5-mini"}


async def test_the_ledger_goes_to_the_drawer() -> None:
    async with console(busy_store(), fetch_place=PLACE) as stage:
        screen = stage.app.screen
        assert isinstance(screen, Console)
        await screen.open_module("wallet")
        await stage.settle()
        changes = stage.store.ledger.page(token_of(stage)).entries
        await stage.press("e", "enter")
        (name,) = kept(stage)
        await stage.press("escape")
        assert stage.says(f"Saved to your drawer as {name}, for one hour."), stage.text()
        assert fetch(stage.store, token_of(stage), name).count(b"\r\n") == 1 + len(changes)


async def test_what_is_too_much_is_said_and_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawer_parts, "MAX_ITEM_BYTES", 100)
    async with console(fetch_place=PLACE) as stage:
        await stage.press("e")
        assert stage.says("The drawer takes at most 32 MiB in one item.")
        assert kept(stage) == []


async def test_a_full_drawer_is_said() -> None:
    store = store_with_account()
    fill(store)
    async with console(store, fetch_place=PLACE) as stage:
        await stage.press("e")
        assert stage.says("The drawer is full. It holds at most 20 items. Fetch or remove one first.")


def fill(store: Store) -> None:
    token = sign_in(store)
    for number in range(20):
        store.drawer.put(token, f"note-{number}.txt", "text")


async def test_the_deletion_tells_that_the_drawer_goes_with_the_account() -> None:
    async with console(fetch_place=PLACE) as stage:
        await stage.press("x")
        assert stage.says(
            "The export goes to your drawer, which is deleted with the account: fetch it before you confirm."
        )
        await stage.press("e")
        assert isinstance(stage.app.screen, InDrawer)
        assert kept(stage) == ["export.json"]


@pytest.mark.parametrize("no_files", [False, True])
async def test_elsewhere_there_is_no_drawer(no_files: bool) -> None:
    async with console(no_files=no_files) as stage:
        assert not stage.app.screen.query("#drawer-row")
        await stage.press("w")
        assert not isinstance(stage.app.screen, DrawerList)
        assert "Open the drawer" not in {command.title for command in commands(stage.app, stage.app.screen)}


async def test_the_palette_opens_the_drawer() -> None:
    async with console(fetch_place=PLACE) as stage:
        assert "Open the drawer" in {command.title for command in commands(stage.app, stage.app.screen)}


def test_sizes_are_short() -> None:
    assert [size_words(size) for size in (0, 1023, 1024, 10_000, 1 << 20, 32 << 20)] == [
        *("0 B", "1023 B", "1.0 KiB", "9.8 KiB", "1.0 MiB", "32.0 MiB"),
    ]
