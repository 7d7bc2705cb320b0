"""The API keys of an account, with the limits that the server knows."""

import ipaddress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from remote.calls import Calls
from remote.fields import Fields, fields_of, required
from remote.generations import KnownServer, ServerFacts
from remote.quota_units import micro_usd_of, quota_at_most
from store import inputs
from store.errors import (
    AnswerUnreadable,
    InvalidExpiry,
    InvalidLabel,
    InvalidMoney,
    InvalidNetwork,
    NoSuchItem,
    ServerRefused,
    StaleEdit,
)

KEYS_PATH: Final = "/api/token/"
MAX_KEYS: Final = 1000
MAX_NAME_BYTES: Final = 50
_PAGE_SIZE: Final = 100
_ENABLED, _DISABLED, _EXPIRED, _EXHAUSTED = 1, 2, 3, 4
_EDITED: Final = (
    *("name", "status", "expired_time", "unlimited_quota", "model_limits_enabled", "model_limits", "allow_ips"),
    *("group", "cross_group_retry"),
)
"""The fields that an edit replaces. `remain_quota` is not among them: each call of the key lowers it."""
_NOT_FOUND: Final = "The server made the key, but does not list it. Look for it in the list before you make another."


@dataclass(frozen=True, slots=True)
class KeyForm:
    """The limits of a key. None: no expiry, no limit, every model, every address."""

    name: str
    expires_at: datetime | None = None
    remaining_micro_usd: int | None = None
    """The amount that the key may spend from now on."""
    models: tuple[str, ...] | None = None
    networks: tuple[str, ...] | None = None
    """Addresses, and networks in CIDR notation (RFC 4632)."""
    group: str = ""
    """The group of channels; empty: that of the account."""

    def checked(self, now: datetime) -> None:
        """Raises `InvalidInput` (a child of it) with the field at fault."""
        inputs.check_label(self.name, field="name")
        if len(self.name.encode()) > MAX_NAME_BYTES:
            raise InvalidLabel(f"This server takes names of at most {MAX_NAME_BYTES} bytes.", field="name")
        if self.expires_at is not None and self.expires_at <= now:
            raise InvalidExpiry(field="expires_at")
        if self.remaining_micro_usd is not None and self.remaining_micro_usd < 0:
            raise InvalidMoney(field="spend_limit")
        for model in self.models or ():
            if "," in inputs.check_model(model, field="models"):
                raise InvalidLabel("This server takes no models with a comma in their names.", field="models")
        for network in self.networks or ():
            try:
                ipaddress.ip_network(network, strict=False)
            except ValueError as error:
                raise InvalidNetwork(field="networks") from error


@dataclass(frozen=True, slots=True)
class RemoteKey:
    """A key without the key itself."""

    id: int
    name: str
    last_four: str
    is_enabled: bool
    is_exhausted: bool
    """True if its rest is used up; the server tells so at the first call that meets it."""
    created_at: datetime | None
    last_used_at: datetime | None
    """None if it was never used."""
    expires_at: datetime | None
    remaining_micro_usd: int | None
    """None without a limit."""
    used_micro_usd: int
    models: tuple[str, ...] | None
    networks: tuple[str, ...] | None
    group: str
    stored: Fields = field(repr=False)
    """The row as it was read. FEB's holds the key."""


class ApiKeys:
    """Lists, makes and changes keys."""

    def __init__(self, calls: Calls, server: KnownServer) -> None:
        self._calls = calls
        self._server = server

    async def all(
        self,
    ) -> tuple[RemoteKey, ...]:
        """Every key, the newest first. Raises the session errors."""
        facts = await self._server.facts()
        found: dict[int, RemoteKey] = {}
        for page in range(1, MAX_KEYS // _PAGE_SIZE + 2):
            params = {"p": str(page), "size": str(_PAGE_SIZE)}
            data = required(await self._calls.read(KEYS_PATH, params))
            rows = data.items("items")
            found |= {key.id: key for key in (_key(row, facts) for row in rows) if key.id > 0}
            if not rows or len(found) >= data.whole("total"):
                break
        return tuple(sorted(found.values(), key=lambda key: -key.id))

    async def create(self, form: KeyForm, now: datetime) -> tuple[RemoteKey, str]:
        """Make a key; returns it, and the key itself, which begins with `sk-`.

        The server's answer has neither, so the key is looked for in the list. Raises what `KeyForm.checked` raises,
        `ServerRefused`, `AnswerLost`, and the session errors.
        """
        facts = await self._server.facts()
        form.checked(now)
        before = {key.id for key in await self.all()}
        rest = 0 if form.remaining_micro_usd is None else quota_at_most(form.remaining_micro_usd, facts.quota_per_usd)
        body = {"remain_quota": rest, "unlimited_quota": form.remaining_micro_usd is None, **_limits(form)}
        await self._calls.change("POST", KEYS_PATH, body)
        made = [key for key in await self.all() if key.id not in before and key.name == form.name]
        if not made:
            raise AnswerUnreadable(_NOT_FOUND)
        newest = made[0]
        return newest, await self.reveal(newest.id)

    async def reveal(self, key_id: int) -> str:
        """The key itself, which these servers can show at any time. Raises `NoSuchItem` and the session errors."""
        facts = await self._server.facts()
        try:
            if facts.is_feb:
                data = await self._calls.read(f"{KEYS_PATH}{key_id:d}")
            else:
                data = (await self._calls.change("POST", f"{KEYS_PATH}{key_id:d}/key", is_repeatable=True)).data
        except ServerRefused as error:
            raise NoSuchItem from error
        key = fields_of(data).raw_text("key").removeprefix("sk-")
        if not key or len(key) > 256 or not key.isascii() or "*" in key or not key.isprintable():
            raise AnswerUnreadable
        return f"sk-{key}"

    async def edit(self, seen: RemoteKey, form: KeyForm, now: datetime) -> RemoteKey:
        """Give the key `seen` another name and other limits.

        Raises what `KeyForm.checked` raises, `StaleEdit` if it was changed since it was seen, `NoSuchItem`,
        `ServerRefused`, and the session errors.
        """
        facts = await self._server.facts()
        form.checked(now)
        current = await self._one(seen.id)
        if _edited(current) != _edited(seen):
            raise StaleEdit
        rest, is_unlimited = current.stored.whole("remain_quota"), form.remaining_micro_usd is None
        if form.remaining_micro_usd is not None and form.remaining_micro_usd != seen.remaining_micro_usd:
            rest = quota_at_most(form.remaining_micro_usd, facts.quota_per_usd)
        body = {
            "id": seen.id,
            "cross_group_retry": current.stored.flag("cross_group_retry"),
            "status": current.stored.whole("status", _ENABLED),
            "remain_quota": rest,
            "unlimited_quota": is_unlimited,
            **_limits(form),
        }
        await self._calls.change("PUT", KEYS_PATH, body, is_repeatable=True)
        return await self._one(seen.id)

    async def set_enabled(self, key_id: int, *, enabled: bool) -> RemoteKey:
        """Accept or refuse a key. Raises `NoSuchItem`, `ServerRefused` for one that cannot work, session errors."""
        await self._one(key_id)
        body = {"id": key_id, "status": _ENABLED if enabled else _DISABLED}
        await self._calls.change("PUT", KEYS_PATH, body, params={"status_only": "1"}, is_repeatable=True)
        return await self._one(key_id)

    async def delete(self, key_id: int) -> None:
        """Remove a key for ever. Raises `NoSuchItem` and the session errors."""
        await self._one(key_id)
        await self._calls.change("DELETE", f"{KEYS_PATH}{key_id:d}", is_repeatable=True)

    async def _one(self, key_id: int) -> RemoteKey:
        facts = await self._server.facts()
        try:
            key = _key(required(await self._calls.read(f"{KEYS_PATH}{key_id:d}")), facts)
        except ServerRefused as error:
            raise NoSuchItem from error
        if key.id != key_id:
            raise AnswerUnreadable
        return key


def _key(row: Fields, facts: ServerFacts) -> RemoteKey:
    created_at, used_at = row.time("created_time"), row.time("accessed_time")
    used = row.whole("used_quota")
    status = row.whole("status", _ENABLED)
    rest = micro_usd_of(row.whole("remain_quota"), facts.quota_per_usd)
    return RemoteKey(
        id=row.whole("id"),
        name=row.text("name", 200),
        last_four=row.text("key", 256)[-4:],
        is_enabled=status != _DISABLED,
        is_exhausted=status == _EXHAUSTED,
        created_at=created_at,
        # A new key has the time of its making as that of its last use.
        last_used_at=used_at if used_at != created_at or used else None,
        expires_at=row.time("expired_time"),
        remaining_micro_usd=None if row.flag("unlimited_quota") else rest,
        used_micro_usd=micro_usd_of(used, facts.quota_per_usd),
        models=_listed(row.text("model_limits", 65536), ",") if row.flag("model_limits_enabled") else None,
        networks=_listed(row.text("allow_ips", 65536).replace(" ", ","), ",") or None,
        group=row.text("group", 80),
        stored=row,
    )


def _limits(form: KeyForm) -> dict[str, Any]:
    return {
        "name": form.name,
        "expired_time": -1 if form.expires_at is None else int(form.expires_at.timestamp()),
        "model_limits_enabled": form.models is not None,
        "model_limits": ",".join(form.models or ()),
        "allow_ips": "\n".join(form.networks or ()),
        "group": form.group,
    }


def _edited(key: RemoteKey) -> dict[str, Any]:
    return {name: key.stored.members.get(name) for name in _EDITED}


def _listed(text: str, separator: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(separator) if part.strip())
