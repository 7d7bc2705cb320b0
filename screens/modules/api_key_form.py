"""The dialogs of API keys: create and edit one, and rotate one."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.widgets import Button, Input, Static

from screens.account_modal import AccountModal, Notice
from screens.modules.api_key_rows import short_key
from store import inputs
from store.errors import InvalidInput
from store.key_limit_texts import (
    limit_texts,
    parse_expiry,
    parse_models,
    parse_networks,
    parse_overlap,
    parse_rate,
    parse_spend_limit,
)
from store.text import sanitize
from store.values.api_keys import ApiKeyInfo, ApiKeyLimits, LimitPeriod, NewApiKey
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field, show_errors
from tui.widgets.option_row import OptionRow
from tui.widgets.text_input import TextInput

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
PERIODS: Final = tuple(LimitPeriod)
_PERIOD_WORDS: Final = ("never", "daily", "weekly", "monthly")


class KeyForm(AccountModal[NewApiKey | ApiKeyInfo | None]):
    """Every field of a key. Result: the new key with its secret, the changed key, or None."""

    HELP_TEXT: ClassVar[str] = (
        "The name tells your keys apart. Every other field is a safeguard, and holds from the next request on; an "
        "empty one is none. An expiry is a number of days from now, or a date in UTC. A spend limit may begin anew "
        "each day, week or month (UTC). Models are exact names, parted by commas. Addresses are IP addresses or "
        "networks such as 10.0.0.0/24. Loosening a safeguard asks you to confirm that it is you."
    )

    @property
    def purpose(self) -> str:
        can = self.account.capabilities
        text = self.HELP_TEXT
        if can.asks_no_proof:
            text = text.replace(" Loosening a safeguard asks you to confirm that it is you.", "")
        if can.no_key_periods:
            text = text.replace(" A spend limit may begin anew each day, week or month (UTC).", "")
        return text

    AUTO_FOCUS: ClassVar[str | None] = "#api-key-name"

    def __init__(self, key: ApiKeyInfo | None = None) -> None:
        """`key` is the key to edit; None: a new one."""
        super().__init__()
        self._key = key
        self._before = ApiKeyLimits() if key is None else key.limits
        self._texts = limit_texts(self._before)

    def compose(self) -> ComposeResult:
        name = "" if self._key is None else self._key.name
        with Dialog("New API key" if self._key is None else "Edit API key"):
            yield Field("Name", TextInput(name, id="api-key-name", max_length=64))
            yield self._field("Expires", "api-key-expiry", "never", "Days from now, or a date in UTC: 2027-01-31.")
            yield self._field("Spend limit in USD", "api-key-limit", "none", "Calls beyond it are refused.")
            can = self.account.capabilities
            if not can.no_key_periods:
                place = PERIODS.index(self._before.limit_period)
                yield Field(
                    "The limit begins anew",
                    OptionRow(_PERIOD_WORDS, value=place, id="api-key-period"),
                    help="At midnight UTC; a week begins on Monday.",
                )
            yield self._field("Models", "api-key-models", "every model", "Exact names, parted by commas.")
            yield self._field("Addresses", "api-key-networks", "every address", "Addresses or networks: 10.0.0.0/24.")
            if not can.no_key_rates:
                yield self._field("Requests per minute", "api-key-rate", "no limit", "More wait for the next minute.")
            if sentence := " ".join(filter(None, (can.no_key_periods, can.no_key_rates))):
                yield Static(sentence, id="key-limits", markup=False, classes="muted")
            yield Notice()
            with Actions():
                yield ActionButton("Cancel", id="cancel", shortcut="esc")
                label, button = ("Create", "create") if self._key is None else ("Save", "save")
                yield ActionButton(label, id=button, shortcut="enter", variant="primary")

    def _field(self, label: str, control: str, placeholder: str, help_line: str) -> Field:
        return Field(label, TextInput(self._texts[control], id=control, placeholder=placeholder), help=help_line)

    @on(Input.Submitted)
    @on(Button.Pressed, "#create")
    @on(Button.Pressed, "#save")
    def save_asked(self) -> None:
        self.submit(self._save)

    async def _save(self) -> None:
        name, limits, problems = self._read()
        show_errors(self, problems)
        if problems:
            return
        key = self._key
        if key is None:
            made = await self.run_with_reauth(lambda: self.account.create_api_key(name, limits))
            if made is not None:
                self.dismiss(made.value)
            return
        saved = await self.run_with_reauth(lambda: self.account.edit_api_key(key, name, limits))
        if saved is not None:
            self.dismiss(saved.value)

    def _read(self) -> tuple[str, ApiKeyLimits, dict[str, str]]:
        """The name, the limits, and every error by field."""
        problems: dict[str, str] = {}

        def read(field: str, parse: Callable[[str], T], before: T) -> T:
            text = next((each.value.strip() for each in self.query(f"#{field}").results(Input)), self._texts.get(field))
            if text is None or text == self._texts.get(field):
                # A limit that was not touched stays as it is, to the second and to the micro-dollar.
                return before
            try:
                return parse(text)
            except InvalidInput as error:
                problems[field] = str(error)
                return before

        now, before = self.account.now(), self._before
        name = read("api-key-name", lambda text: inputs.check_label(text, field="api-key-name"), "")
        places = [row.value for row in self.query("#api-key-period").results(OptionRow)]
        period = PERIODS[places[0]] if places else before.limit_period
        limits = ApiKeyLimits(
            expires_at=read("api-key-expiry", lambda text: parse_expiry(text, now), before.expires_at),
            spend_limit_micro_usd=read("api-key-limit", parse_spend_limit, before.spend_limit_micro_usd),
            limit_period=period,
            allowed_models=read("api-key-models", parse_models, before.allowed_models),
            allowed_networks=read("api-key-networks", parse_networks, before.allowed_networks),
            requests_per_minute=read("api-key-rate", parse_rate, before.requests_per_minute),
        )
        return name, limits, problems


class RotateKey(AccountModal[NewApiKey | None]):
    """Result: the key with its new secret, or None."""

    HELP_TEXT: ClassVar[str] = (
        "A rotation makes a new secret for the same key: its limits and its history stay. The old secret can go on "
        "for a while, so that you can change your clients without a gap. Another rotation ends it at once."
    )
    AUTO_FOCUS: ClassVar[str | None] = "#api-key-overlap"

    def __init__(self, key: ApiKeyInfo) -> None:
        super().__init__()
        self._key = key

    def compose(self) -> ComposeResult:
        with Dialog("Rotate API key"):
            yield Static(
                f"{sanitize(self._key.name, 64)} gets a new secret. The old one ({short_key(self._key)}) stops working "
                "at once, or after the time that you choose here.",
                markup=False,
                classes="dialog-body",
            )
            yield Field(
                "The old one works for",
                TextInput("0", id="api-key-overlap", placeholder="0"),
                help="Minutes, or a time such as 12h or 7d; at most 7 days.",
                classes="spaced",
            )
            yield Notice()
            with Actions():
                yield ActionButton("Cancel", id="cancel", shortcut="esc")
                yield ActionButton("Rotate", id="rotate", shortcut="enter", variant="primary")

    @on(Input.Submitted)
    @on(Button.Pressed, "#rotate")
    def rotate_asked(self) -> None:
        self.submit(self._rotate)

    async def _rotate(self) -> None:
        try:
            minutes = parse_overlap(self.query_one("#api-key-overlap", Input).value)
        except InvalidInput as error:
            self.show_failure(error)
            return
        made = await self.run_with_reauth(lambda: self.account.rotate_api_key(self._key.id, minutes))
        if made is not None:
            self.dismiss(made.value)
