"""The administrator's settings of the site, as stored: one typed value per name, each with a safe default."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, select

from store.audit import Audit
from store.audit_tags import COMMAND_LINE, UNNAMED, SiteTag
from store.context import Context
from store.errors import GatekeyError, InvalidSetting
from store.models import SiteSetting
from store.site_switches import SWITCHES, Switch, Value, find
from store.upsert import upsert


class SiteEntry(NamedTuple):
    """The current value of a setting. The `value` of a secret is empty; `is_set` is True if it is stored."""

    name: str
    value: Value
    is_set: bool
    is_secret: bool


@dataclass(frozen=True, slots=True)
class MailSwitches:
    """The `smtp.` settings, from one snapshot."""

    host: str
    port: int
    security: str
    username: str
    password: str = field(repr=False)
    sender: str


class Site:
    """Reads and stores the site's settings."""

    def __init__(self, context: Context, audit: Audit) -> None:
        self._context = context
        self._audit = audit

    def show(self) -> list[SiteEntry]:
        """All settings, in the order of the documentation."""
        with self._context.database.read() as tx:
            stored = _stored(tx)
        return [
            SiteEntry(
                name=switch.name,
                value="" if switch.is_secret else self._value(switch, stored),
                is_set=switch.name in stored,
                is_secret=switch.is_secret,
            )
            for switch in SWITCHES.values()
        ]

    def set(self, name: str, text: str, *, actor: str = UNNAMED) -> Value:
        """Parse and store a typed value; returns it. Raises `UnknownSetting` or `InvalidSetting`."""
        switch = find(name)
        try:
            value = switch.parse(text)
        except (ValueError, GatekeyError) as error:
            raise InvalidSetting(f"{name} takes {switch.expects}.", field=name) from error
        encoded = json.dumps(value)
        sealed = self._context.seal(encoded, associated_data(name)) if switch.is_secret else None
        row = {
            "value": "" if switch.is_secret else encoded,
            "value_sealed": sealed,
            "updated_at": self._context.now(),
        }
        with self._context.database.write() as tx:
            upsert(tx, SiteSetting, {"name": name}, row)
            shown = "" if switch.is_secret else encoded
            self._audit.record_site(
                tx, SiteTag.SETTING_CHANGED, actor=actor, source=COMMAND_LINE, setting=name, value=shown
            )
        return value

    def unset(self, name: str, *, actor: str = UNNAMED) -> None:
        """Reset a setting to its default. Raises `UnknownSetting`."""
        find(name)
        with self._context.database.write() as tx:
            if tx.execute(delete(SiteSetting).where(SiteSetting.c.name == name)).rowcount == 1:
                self._audit.record_site(tx, SiteTag.SETTING_RESET, actor=actor, source=COMMAND_LINE, setting=name)

    def values(self, names: Iterable[str]) -> dict[str, Any]:
        """The values of the named settings, secrets included, from one snapshot."""
        with self._context.database.read() as tx:
            stored = _stored(tx)
        return {name: self._value(SWITCHES[name], stored) for name in names}

    def get(self, name: str) -> Value:
        """The current value. A value that cannot be read counts as the default."""
        with self._context.database.read() as tx:
            return self._value(SWITCHES[name], _stored(tx, name))

    def flag(self, name: str) -> bool:
        return self.get(name) is True

    def flag_in(self, tx: Connection, name: str) -> bool:
        """A boolean setting, inside the transaction of a rule that depends on it."""
        return self._value(SWITCHES[name], _stored(tx, name)) is True

    def number_in(self, tx: Connection, name: str) -> int:
        """A number setting inside `tx`."""
        value = self._value(SWITCHES[name], _stored(tx, name))
        return value if isinstance(value, int) else 0

    def text_in(self, tx: Connection, name: str) -> str:
        """A text setting inside `tx`."""
        value = self._value(SWITCHES[name], _stored(tx, name))
        return value if isinstance(value, str) else ""

    def items_in(self, tx: Connection, name: str) -> tuple[str, ...]:
        """A list setting inside `tx`."""
        value = self._value(SWITCHES[name], _stored(tx, name))
        return value if isinstance(value, tuple) else ()

    def number(self, name: str) -> int:
        value = self.get(name)
        return value if isinstance(value, int) else 0

    def text(self, name: str) -> str:
        value = self.get(name)
        return value if isinstance(value, str) else ""

    def items(self, name: str) -> tuple[str, ...]:
        value = self.get(name)
        return value if isinstance(value, tuple) else ()

    def mail(self) -> MailSwitches:
        """The SMTP settings from one snapshot, so that a new password is never sent to the previous server."""
        with self._context.database.read() as tx:
            stored = _stored(tx)
        names = {column.name: f"smtp.{column.name}" for column in fields(MailSwitches)}
        values: dict[str, Any] = {column: self._value(SWITCHES[name], stored) for column, name in names.items()}
        return MailSwitches(**values)

    def _value(self, switch: Switch, stored: dict[str, tuple[str, bytes | None]]) -> Value:
        if switch.name not in stored:
            return switch.default
        text, sealed = stored[switch.name]
        if switch.is_secret and sealed is not None:
            text = self._context.ring.open(sealed, associated_data(switch.name))
        try:
            value = json.loads(text)
        except ValueError:
            return switch.default
        if isinstance(value, list):
            value = tuple(str(item) for item in value)
        return value if type(value) is type(switch.default) else switch.default


def _stored(tx: Connection, name: str | None = None) -> dict[str, tuple[str, bytes | None]]:
    query = select(SiteSetting.c.name, SiteSetting.c.value, SiteSetting.c.value_sealed)
    if name is not None:
        query = query.where(SiteSetting.c.name == name)
    return {row.name: (row.value, row.value_sealed) for row in tx.execute(query)}


def associated_data(name: str) -> str:
    """The associated data of an encrypted setting."""
    return f"site_settings:value:{name}"
