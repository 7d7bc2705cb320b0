"""API Keys: list, create, revoke."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Button, Input, Static

from screens.account_modal import AccountModal, Notice
from screens.modules.module_page import ModulePage
from screens.relative_time import ago, until
from screens.settings.access_token import ApiKey
from store import inputs
from store.errors import InvalidInput
from store.money import check_spend_limit, parse_usd, show_usd
from store.text import sanitize
from store.values.api_keys import ApiKeyLimits
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.confirm import Confirm
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field, show_errors
from tui.widgets.row_table import RowTable
from tui.widgets.text_input import TextInput

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from store.values.api_keys import ApiKeyInfo

T = TypeVar("T")


class ApiKeysPage(ModulePage):
    HELP_TEXT: ClassVar[str] = (
        "Each client of the gateway gets a key of its own, so that one can be revoked without the others. "
        "A key may expire and may have a spend limit. A revoked key stays in the list, for the record."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "create", "New key", id="api-keys.create", tooltip="Create an API key"),
        Binding("d", "revoke", "Revoke", id="api-keys.revoke", tooltip="Revoke the key under the cursor"),
    ]

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 (Widget's)
        super().__init__(id=id, classes=classes)
        self.can_focus = False
        self._keys: list[ApiKeyInfo] = []

    def compose(self) -> ComposeResult:
        yield Static("", id="keys-state", classes="muted", markup=False)
        yield RowTable()
        yield Notice()
        with Actions():
            yield ActionButton("New key", id="create", shortcut="n", variant="primary")
            yield ActionButton("Revoke", id="revoke", shortcut="d", variant="error")

    def focus(self, scroll_visible: bool = True) -> ApiKeysPage:
        self.query_one(RowTable).focus(scroll_visible)
        return self

    def on_mount(self) -> None:
        table = self.query_one(RowTable)
        for label, width in (("Name", 18), ("Key", 8), ("State", 15), ("Spent", 16), ("Used", 11)):
            table.add_column(label, width=width)
        super().on_mount()

    def reload(self) -> None:
        self.load()

    @work(exclusive=True, group="load")
    async def load(self) -> None:
        keys = await self.run_with_reauth(self.account.api_keys)
        if keys is None:
            return
        table = self.query_one(RowTable)
        under_cursor = self._key.id if self._key is not None else 0
        self._keys, now = keys.value, self.account.now()
        table.clear()
        for key in self._keys:
            table.add_row(*(Content(word) for word in _words(key, now)))
        table.move_cursor(row=next((row for row, key in enumerate(self._keys) if key.id == under_cursor), 0))
        state = f"{len(self._keys)} keys" if self._keys else "There are none yet. Create your first with n."
        self.query_one("#keys-state", Static).update(state)

    @property
    def _key(self) -> ApiKeyInfo | None:
        """The key under the cursor."""
        row = self.query_one(RowTable).cursor_row
        return self._keys[row] if 0 <= row < len(self._keys) else None

    @on(Button.Pressed, "#create")
    def action_create(self) -> None:
        self.run_exclusive(self._create)

    @on(Button.Pressed, "#revoke")
    def action_revoke(self) -> None:
        key = self._key
        if key is not None and key.revoked_at is None:
            self.run_exclusive(lambda: self._revoke(key))

    async def _create(self) -> None:
        made = await self.app.push_screen_wait(NewKey())
        if made is not None:
            await self.app.push_screen_wait(ApiKey(made))
        self.load()

    async def _revoke(self, key: ApiKeyInfo) -> None:
        question = Confirm(
            "Revoke this API key?",
            f"{sanitize(key.name)} (sk-…{sanitize(key.last_four, 8)}) is refused from now on. This cannot be undone.",
            "Revoke",
            dangerous=True,
        )
        if await self.app.push_screen_wait(question):
            await self.run_with_reauth(lambda: self.account.revoke_api_key(key.id))
            self.load()


class NewKey(AccountModal[Any]):
    """Result: the new key, which is shown once, or None."""

    HELP_TEXT: ClassVar[str] = (
        "The name tells your keys apart. An expiry is a number of days from now, at most 3650; a spend "
        "limit is an amount in USD after which calls with this key are refused. Empty means never and "
        "none."
    )
    AUTO_FOCUS: ClassVar[str | None] = "#api-key-name"

    def compose(self) -> ComposeResult:
        with Dialog("New API key"):
            yield Field("Name", TextInput(id="api-key-name", max_length=64))
            yield Field("Expires after days", TextInput(id="api-key-expiry", placeholder="never"))
            yield Field("Spend limit in USD", TextInput(id="api-key-limit", placeholder="none"))
            yield Notice()
            with Actions():
                yield ActionButton("Cancel", id="cancel", shortcut="esc")
                yield ActionButton("Create", id="create", shortcut="enter", variant="primary")

    @on(Input.Submitted)
    @on(Button.Pressed, "#create")
    def create_pressed(self) -> None:
        self.submit(self._create)

    async def _create(self) -> None:
        name, days, limit, problems = self._read()
        show_errors(self, problems)
        if problems:
            return
        expires_at = None if days is None else self.account.now() + timedelta(days=days)
        limits = ApiKeyLimits(expires_at, limit)
        done = await self.run_with_reauth(lambda: self.account.create_api_key(name, limits))
        if done is not None:
            self.dismiss(done.value)

    def _read(self) -> tuple[str, int | None, int | None, dict[str, str]]:
        """Name, days and limit in micro-USD, and every error by field."""
        problems: dict[str, str] = {}

        def read(field: str, check: Callable[[str], T]) -> T | None:
            try:
                return check(self.query_one(f"#{field}", Input).value.strip())
            except InvalidInput as error:
                problems[field] = str(error)
                return None

        name = read("api-key-name", lambda text: inputs.check_label(text, field="api-key-name"))
        days = read("api-key-expiry", lambda text: _days(text) if text else None)
        limit = read("api-key-limit", lambda text: _limit(text) if text else None)
        return name or "", days, limit, problems


def _days(text: str) -> int:
    return inputs.check_whole(text, 1, 3650, field="api-key-expiry")


def _limit(text: str) -> int:
    return check_spend_limit(parse_usd(text, field="api-key-limit"), field="api-key-limit")


def _words(key: ApiKeyInfo, now: datetime) -> tuple[str, ...]:
    if key.revoked_at is not None:
        state = "revoked"
    elif key.expires_at is not None:
        state = "expired" if key.expires_at <= now else f"expires {until(key.expires_at, now)}"
    else:
        state = "active"
    limit = f" of {show_usd(key.spend_limit_micro_usd)}" if key.spend_limit_micro_usd is not None else ""
    spent = f"{show_usd(key.spent_micro_usd)}{limit}"
    return sanitize(key.name, 60), f"sk-…{sanitize(key.last_four, 8)}", state, spent, ago(key.last_used_at, now)
