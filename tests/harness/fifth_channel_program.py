"""A run of Gatekey with a fifth channel: `python -m tests.harness.fifth_channel_program FOLDER`.

FOLDER holds a database and a key file that the unchanged program made. The program prints what it saw as JSON.
"""

import asyncio
import json
import random
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, Final

from textual.widgets import Input

import store.sections
from gateway.dispatcher import run_once
from screens.entry import main
from store import rekey
from store.key_file import FileRing
from store.sections import Channel
from store.store import Store, open_store
from tests.fakes.receivers import HttpReceiver, LoopThread, reply
from tests.harness.command_line import Standard
from tests.harness.consoles import console
from tests.harness.gateway_client import client_of, make_token
from tests.harness.quota_calls import spend_quota
from tests.harness.stores import StillClock, cheap_hasher
from tui.widgets.field import Field
from tui.widgets.toggle import Toggle

NAME: Final = "pager"
TOKEN: Final = "pager-token-0123456789"


def run(folder: Path) -> dict[str, Any]:
    """Use the fifth channel in every way there is."""
    seen: dict[str, Any] = {"from": str(Path(store.sections.__file__).parent), "channels": [*Channel]}
    at = ["--database", str(folder / "private" / "gatekey.sqlite3"), "--key-file", str(folder / "key")]
    seen["upgrade"] = _command(*at, "admin", "upgrade")[0]
    with LoopThread() as loop_thread, HttpReceiver(loop_thread, reply(200)) as receiver:
        address = f"http://127.0.0.1:{receiver.port}"
        with _open(folder) as opened:
            opened.site.set("channels.private_network_allow", f"127.0.0.1:{receiver.port}")
        for field, value, typed in (
            ("url", [address], ""),
            ("token", ["--value-stdin"], TOKEN),
            ("level", ["4"], ""),
            ("on", ["on"], ""),
        ):
            status, _ = _command(
                *at, "settings", "--user", "alice", "set", f"notifications.{NAME}_{field}", *value, typed=typed
            )
            seen[f"set {field}"] = status
        seen["refused"] = _command(*at, "settings", "--user", "alice", "set", f"notifications.{NAME}_level", "9")
        shown = json.loads(_command(*at, "settings", "--user", "alice", "show", "--json")[1])
        seen["shown"] = {name: value for name, value in shown["notifications"].items() if name.startswith(NAME)}
        with _open(folder) as opened:
            seen |= asyncio.run(_form(opened)) | asyncio.run(_api(opened))
            seen["export"] = json.loads("".join(opened.exports.document_of("alice", actor="x", source="x")))[
                "notification_settings"
            ]
            seen["sealed before"] = _sealed(opened)[0]
            rekey.rekey(opened, folder / "key", actor="x", wait=lambda _: None, say=lambda _: None)
            seen["sealed after"] = _sealed(opened)[0]
            seen["opened"] = _sealed(opened)[1] == TOKEN
            spend_quota(opened, opened.accounts.find("alice").id, 4_500_000)
            seen["delivered"] = run_once(opened).delivered
        seen["received"] = [
            {"path": request.target, "token": request.headers.get("x-pager-token"), **json.loads(request.body)}
            for request in receiver.requests
        ]
    return seen


def _open(folder: Path) -> Store:
    url = f"sqlite:///{folder / 'private' / 'gatekey.sqlite3'}"
    return open_store(url, FileRing(folder / "key"), clock=StillClock(), rng=random.Random(3), hasher=cheap_hasher())


def _command(*arguments: str, typed: str = "") -> tuple[int, str]:
    out, err, before = Standard(), Standard(), sys.stdin
    sys.stdin = Standard(typed.encode())
    try:
        with redirect_stdout(out), redirect_stderr(err):
            status = main(arguments)
    finally:
        sys.stdin = before
    return status, out.written() or err.written()


async def _form(opened: Store) -> dict[str, Any]:
    """The rows of the channel in the form, and a save of one of them."""
    async with console(opened) as stage:
        await stage.press("3")
        screen = stage.app.screen
        rows = [field for field in screen.query(Field) if NAME in (field.control.id or "")]
        seen = {
            "form": [(field.label.strip(), field.control.id) for field in rows],
            "form values": [
                screen.query_one(f"#channel-{NAME}", Toggle).value,
                screen.query_one(f"#{NAME}-level", Input).value,
                screen.query_one(f"#{NAME}-token", Input).placeholder,
            ],
        }
        await stage.fill(f"{NAME}-level", "9")
        await stage.press("ctrl+s")
        seen["form refuses"] = stage.says("Enter a whole number from 1 to 5.")
        await stage.fill(f"{NAME}-level", "5")
        await stage.press("ctrl+s")
        seen["form saves"] = stage.says("Saved.")
        return seen


async def _api(opened: Store) -> dict[str, Any]:
    async with client_of(opened, token=make_token(opened)) as client:
        document = (await client.get("/api/account/settings/notifications")).json()
        openapi = (await client.get("/openapi.json")).json()
    return {
        "api": {name: value for name, value in document["settings"].items() if name.startswith(NAME)},
        "api secret": document["secrets"][f"{NAME}_token"],
        "api schema": openapi["components"]["schemas"]["NotificationsBody"]["properties"][f"{NAME}_level"],
    }


def _sealed(opened: Store) -> tuple[int, str | None]:
    """The number of the key that the token is sealed under, and the token."""
    from sqlalchemy import text

    with opened.database.read() as tx:
        sealed = tx.execute(text(f"SELECT {NAME}_token_sealed FROM notification_settings")).scalar_one()  # noqa: S608
        return sealed[0], opened.settings.secret(tx, opened.accounts.find("alice").id, f"{NAME}_token")


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]))))
