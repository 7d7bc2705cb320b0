"""API Keys: the list, and the acts on the key under the cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Resize
from textual.widgets import Button, DataTable, Static

from screens.account_modal import Notice
from screens.modules.api_key_form import KeyForm, RotateKey
from screens.modules.api_key_rows import columns, details, short_key
from screens.modules.api_key_use import UseKey
from screens.modules.module_page import ModulePage
from screens.settings.access_token import ApiKey
from store.text import sanitize
from store.values.api_keys import NewApiKey
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.confirm import Confirm
from tui.widgets.row_table import RowTable
from tui.widgets.section import Section
from tui.widgets.table_columns import ColumnFit

if TYPE_CHECKING:
    from store.values.api_keys import ApiKeyInfo

_EDGE_CELLS = 6
"""Cells of a line that are no part of a row: the box, its padding, the scroll bar of the page."""
_EMPTY = "There are none yet. Create your first with n."
_STAYS = "A revoked key stays in the list, for the record."
_ALL_HIDDEN = "Every key is revoked, and hidden. h shows them."


class KeyTable(RowTable):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "Edit", id="api-keys.edit", tooltip="Change the key under the cursor"),
    ]


class ApiKeysPage(ModulePage):
    HELP_TEXT: ClassVar[str] = (
        "Each client of the gateway gets a key of its own, so that one can be limited, disabled or revoked without the "
        "others. Limits hold from the next request on. A revoked key stays in the list, for the record."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "create", "New", id="api-keys.create", tooltip="Create an API key"),
        Binding("d", "switch", "Disable", id="api-keys.disable", tooltip="Disable the key, or enable it again"),
        Binding("o", "rotate", "Rotate", id="api-keys.rotate", tooltip="Make a new secret for the key"),
        Binding("x", "revoke", "Revoke", id="api-keys.revoke", tooltip="Revoke the key under the cursor"),
        Binding("y", "use", "How to use", id="api-keys.use", tooltip="Lines for a client of this key"),
        Binding("h", "hide", "Hide revoked", id="api-keys.hide", tooltip="Hide the revoked keys, or show them"),
    ]

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 (Widget's)
        super().__init__(id=id, classes=classes)
        self.can_focus = False
        self._all: list[ApiKeyInfo] = []
        self._hides_revoked = False
        self._was_read = False
        self._shown_id = 0
        """The key under the cursor, which stays there when the list is read again."""
        self._drawn_width = 0

    @property
    def purpose(self) -> str:
        vanish = self.account.capabilities.revoked_keys_vanish
        return self.HELP_TEXT.replace(_STAYS, vanish or _STAYS)

    def compose(self) -> ComposeResult:
        can = self.account.capabilities
        with Section("API keys", id="keys"):
            yield KeyTable()
            yield Static("…", id="keys-state", classes="muted", markup=False)
            if sentence := " ".join(filter(None, (can.no_key_rotation, can.revoked_keys_vanish))):
                yield Static(sentence, id="key-limits", classes="muted", markup=False)
        with Actions():
            yield ActionButton("New key", id="create", shortcut="n", variant="primary")
            yield ActionButton("Edit", id="edit", shortcut="enter", disabled=True)
            yield ActionButton("Disable", id="disable", shortcut="d", disabled=True)
            if not can.no_key_rotation:
                yield ActionButton("Rotate", id="rotate", shortcut="o", disabled=True)
            yield ActionButton("Revoke", id="revoke", shortcut="x", variant="error", disabled=True)
            yield ActionButton("How to use", id="use", shortcut="y", disabled=True)
        with Section("", id="key-details", classes="-hidden"):
            yield Static("", id="key-facts", markup=False)
        yield Notice()

    def focus(self, scroll_visible: bool = True) -> ApiKeysPage:
        self.query_one(RowTable).focus(scroll_visible)
        return self

    def on_resize(self, _event: Resize) -> None:
        # A scroll bar that comes and goes with the rows is no reason to draw them again.
        if self.outer_size.width != self._drawn_width:
            self._draw()

    def reload(self) -> None:
        self.load()

    @work(exclusive=True, group="load")
    async def load(self) -> None:
        with self.reading():
            keys = await self.fetch(self.account.api_keys)
        if keys is None:
            if not self._was_read:
                retry = "" if self.unread else " F5 tries again."
                self.query_one("#keys-state", Static).update(f"The keys could not be read.{retry}")
            return
        self._all, self._was_read = keys.value, True
        self._draw()

    # -- drawing ---------------------------------------------------------------------------------------------

    @property
    def _keys(self) -> list[ApiKeyInfo]:
        """The keys that are shown: the newest first, and the revoked ones at the end."""
        shown = [key for key in self._all if key.revoked_at is None or not self._hides_revoked]
        return sorted(shown, key=lambda key: key.revoked_at is not None)

    @property
    def _key(self) -> ApiKeyInfo | None:
        """The key under the cursor."""
        row, keys = self.query_one(RowTable).cursor_row, self._keys
        return keys[row] if 0 <= row < len(keys) else None

    def _draw(self) -> None:
        if not self._was_read:
            return
        table, now, keys = self.query_one(RowTable), self.account.now(), self._keys
        under_cursor = self._shown_id
        self._drawn_width = self.outer_size.width
        room = max(20, self._drawn_width - _EDGE_CELLS)
        fit = ColumnFit(columns(now, room))
        fit.resize(room)
        fit.see(keys)
        rows = [[place.draw(place.column.cell(key)) for place in fit.placed] for key in keys]
        table.show_columns([(place.column.label, place.width) for place in fit.placed], rows)
        table.display = bool(keys)
        table.move_cursor(row=next((row for row, key in enumerate(keys) if key.id == under_cursor), 0))
        line = self.query_one("#keys-state", Static)
        line.update("" if keys else _ALL_HIDDEN if self._all else _EMPTY)
        line.display = not keys
        usable = sum(key.is_usable(now) for key in self._all)
        self.query_one("#keys", Section).state = Content(f"{usable} usable of {len(self._all)}" if self._all else "")
        self._show_key()

    @on(DataTable.RowHighlighted)
    def moved(self) -> None:
        self._show_key()

    def _show_key(self) -> None:
        """Show the key under the cursor below the table, and what can be done with it."""
        key, now, section = self._key, self.account.now(), self.query_one("#key-details", Section)
        section.display = key is not None
        for button in self.query("#edit, #disable, #rotate, #revoke").results(Button):
            button.disabled = key is None or key.revoked_at is not None
        self.query_one("#use", Button).disabled = key is None or not key.is_usable(now)
        self.refresh_bindings()
        if key is None:
            return
        self._shown_id = key.id
        section.title, section.state = Content(sanitize(key.name, 64)), Content(short_key(key))
        self.query_one("#key-facts", Static).update(
            details(
                key,
                now,
                max(20, self.outer_size.width - _EDGE_CELLS),
                has_rate=not self.account.capabilities.no_key_rates,
            )
        )
        self.query_one("#disable", Button).label = "Disable" if key.disabled_at is None else "Enable"

    def key_words(self, action: str) -> str:
        """The words of the footer for the key under the cursor (`tui.widgets.footer`)."""
        key = self._key if self._was_read else None
        if action == "switch" and key is not None and key.disabled_at is not None:
            return "Enable"
        return "Show revoked" if action == "hide" and self._hides_revoked else ""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        can = self.account.capabilities
        if (action == "rotate" and can.no_key_rotation) or (action == "hide" and can.revoked_keys_vanish):
            return False
        if action == "hide" and not any(key.revoked_at is not None for key in self._all):
            return None
        key = self._key if self._was_read else None
        if action in ("switch", "rotate", "revoke"):
            return None if key is None or key.revoked_at is not None else True
        if action == "use":
            return None if key is None or not key.is_usable(self.account.now()) else True
        return super().check_action(action, parameters)

    # -- acts ------------------------------------------------------------------------------------------------

    @on(Button.Pressed, "#create")
    def action_create(self) -> None:
        self.run_exclusive(self._create)

    @on(Button.Pressed, "#edit")
    @on(DataTable.RowSelected)
    def action_edit(self) -> None:
        key = self._key
        if key is not None and key.revoked_at is None:
            self.run_exclusive(lambda: self._edit(key))
        elif key is not None:
            self.query_one(Notice).say("A revoked key cannot be changed. Create a new one with n.", "muted")

    @on(Button.Pressed, "#disable")
    def action_switch(self) -> None:
        key = self._key
        if key is not None and key.revoked_at is None:
            self.run_exclusive(lambda: self._switch(key))

    @on(Button.Pressed, "#rotate")
    def action_rotate(self) -> None:
        key = self._key
        if key is not None and key.revoked_at is None:
            self.run_exclusive(lambda: self._rotate(key))

    @on(Button.Pressed, "#revoke")
    def action_revoke(self) -> None:
        key = self._key
        if key is not None and key.revoked_at is None:
            self.run_exclusive(lambda: self._revoke(key))

    @on(Button.Pressed, "#use")
    def action_use(self) -> None:
        key = self._key
        if key is not None:
            self.app.push_screen(UseKey(key))

    def action_hide(self) -> None:
        self._hides_revoked = not self._hides_revoked
        self._draw()
        self.refresh_bindings()
        hidden = sum(key.revoked_at is not None for key in self._all)
        word = "hidden" if self._hides_revoked else "shown"
        self.app.notify(f"Revoked keys are {word} ({hidden}).", markup=False)

    async def _create(self) -> None:
        made = await self.app.push_screen_wait(KeyForm())
        if isinstance(made, NewApiKey):
            await self.app.push_screen_wait(ApiKey(made))
            self._shown_id = made.info.id
        self.load()

    async def _edit(self, key: ApiKeyInfo) -> None:
        saved = await self.app.push_screen_wait(KeyForm(key))
        if saved is not None:
            self.app.notify(f"Saved: {sanitize(key.name, 64)}.", markup=False)
        self.load()

    async def _switch(self, key: ApiKeyInfo) -> None:
        is_on = key.disabled_at is None
        act = self.account.disable_api_key if is_on else self.account.enable_api_key
        if await self.run_with_reauth(lambda: act(key.id)) is not None:
            rest = "is refused until you enable it" if is_on else "works again"
            self.app.notify(f"{sanitize(key.name, 64)} {rest}.", markup=False)
        self.load()

    async def _rotate(self, key: ApiKeyInfo) -> None:
        made = await self.app.push_screen_wait(RotateKey(key))
        if made is not None:
            await self.app.push_screen_wait(ApiKey(made))
        self.load()

    async def _revoke(self, key: ApiKeyInfo) -> None:
        question = Confirm(
            "Revoke this API key?",
            f"{sanitize(key.name)} ({short_key(key)}) is refused from now on. This cannot be undone.",
            "Revoke",
            dangerous=True,
        )
        if await self.app.push_screen_wait(question):
            if await self.run_with_reauth(lambda: self.account.revoke_api_key(key.id)) is not None:
                self.app.notify(f"{sanitize(key.name, 64)} was revoked.", markup=False)
            self.load()
