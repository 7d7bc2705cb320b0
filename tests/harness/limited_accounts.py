"""A console whose account cannot do everything, and fails the test if a screen asks for what it cannot do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from screens.app import GatekeyApp
from screens.title_bar import TitleBar
from store.store import Store
from tests.harness.consoles import SIZE, Stage
from tests.harness.stores import add_account, make_store, sign_in, still_clock
from tui.account import Capabilities
from tui.keymap import ConsoleConfig
from tui.local_account import LocalAccount
from tui.store_location import Options

_OWN: Final = frozenset({"can", "asked", "capabilities", "server"})
METHODS: Final[dict[str, tuple[str, ...]]] = {
    "no_lock": ("lock",),
    "no_binding": ("begin_device_login", "wait_for_identity", "bind", "unbind"),
    "no_device_login": ("begin_device_login", "wait_for_identity", "bind"),
    "no_password_change": ("change_password",),
    "no_passkeys": ("begin_passkey_registration", "rename_passkey", "remove_passkey"),
    "no_passkey_registration": ("begin_passkey_registration",),
    "no_passkey_ceremony": ("begin_passkey_registration",),
    "no_passkey_labels": ("rename_passkey",),
    "no_two_factor": ("begin_two_factor", "disable_two_factor", "renew_backup_codes"),
    "no_ssh_keys": ("add_ssh_key", "rename_ssh_key", "remove_ssh_key"),
    "no_token_revocation": ("revoke_access_token",),
    "no_sessions": ("sign_out_others", "revoke_session"),
    "no_activity": ("audit_events",),
    "no_export": ("export_to",),
    "no_deletion": ("check_deletable", "delete_account"),
    "no_test_message": ("send_test",),
    "no_delivery_report": ("last_deliveries",),
    "no_ip_erasure": ("count_ips", "erase_ips"),
    "no_key_rotation": ("rotate_api_key",),
    "no_reading_upwards": ("usage_page_after",),
    "no_ledger": ("newer_ledger", "ledger_call"),
    "no_prices": ("prices",),
    "no_cost_estimate": ("playground_estimate",),
    "no_redeem_codes": ("redeem_code",),
}
"""The methods that an implementation need not have, by the limit that says so."""


class LimitedAccount(LocalAccount):
    """`asked` are the methods that were called although a limit excludes them."""

    def __init__(self, store: Store, name: str, can: Capabilities, *, server: str = "") -> None:
        super().__init__(Options(), opened=store, token=sign_in(store, name))
        self.can = can
        self.asked: list[str] = []
        self._server = server

    @property
    def capabilities(self) -> Capabilities:
        return self.can

    @property
    def server(self) -> str:
        return self._server

    def __getattribute__(self, name: str) -> Any:
        attribute = super().__getattribute__(name)
        if name.startswith("_") or name in _OWN:
            return attribute
        if any(name in methods and getattr(self.can, limit) for limit, methods in METHODS.items()):
            self.asked.append(name)
        return attribute


@asynccontextmanager
async def limited_console(
    can: Capabilities, *, store: Store | None = None, name: str = "alice", size: tuple[int, int] = SIZE
) -> AsyncIterator[Stage]:
    """The console of an account with these limits. At the end none of what they exclude may have been asked for."""
    if store is None:
        store = make_store()
        add_account(store, name)
    account = LimitedAccount(store, name, can)
    clock = still_clock(store)
    app = GatekeyApp(account, ConsoleConfig())
    async with app.run_test(size=size, notifications=True) as pilot:
        stage = Stage(app, pilot, store, clock)
        await stage.settle()
        await stage.until(lambda: app.screen.query_one(TitleBar).summary is not None)
        yield stage
        assert account.asked == []
