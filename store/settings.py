"""Reading and saving one settings section. A save names the version that it replaces."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection, Select, Table, bindparam, insert, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from store.access_token import TokenHolder
from store.addresses import ALLOW_LIST_SETTING, AllowList, check_web_address
from store.audit import Audit
from store.audit_tags import COMMAND_LINE, Tag
from store.context import Context
from store.errors import DatabaseDamaged, DatabaseRefused, FreshProofRequired
from store.models import (
    NotificationSettingsRow,
    PriceSettingsRow,
    PrivacySettingsRow,
    Quota,
    SidebarSettingsRow,
)
from store.row_locks import lock_against_deletion
from store.safeguards import needs_proof
from store.secret_fields import StoredSecret
from store.sections import (
    NAMES,
    Channel,
    NotificationSettings,
    PriceSettings,
    PrivacySettings,
    Section,
    SidebarSettings,
    settings_of_channel,
)
from store.sessions import AuthorizedSession, Sessions, is_fresh
from store.setting_fields import Setting, SettingType, secrets_of, settings_of
from store.site import Site
from store.token_proofs import SOURCE, Proof
from store.values.sections import Saved, SectionT, SettingsConflict

_TABLES: Final[Mapping[type[Section], Table]] = {
    NotificationSettings: NotificationSettingsRow,
    PriceSettings: PriceSettingsRow,
    PrivacySettings: PrivacySettingsRow,
    SidebarSettings: SidebarSettingsRow,
}


def _read(table: Table) -> Select[Any]:
    return select(table).where(table.c.account_id == bindparam("account"))


def _save(table: Table) -> ReturningUpdate[Any]:
    names = [column.name for column in table.c if column.name != "account_id"]
    plain = [name for name in names if not name.endswith("_sealed")]
    return (
        update(table)
        .where(table.c.account_id == bindparam("account"), table.c.version == bindparam("old_version"))
        .values({name: bindparam(f"new_{name}") for name in plain})
        .returning(*table.c)
    )


# SQLAlchemy takes eight times as long to build a statement as to run it, so they are built once.
_READ: Final = {kind: _read(table) for kind, table in _TABLES.items()}
_SAVE: Final = {kind: _save(table) for kind, table in _TABLES.items()}


class Settings:
    """The settings sections of accounts, for sessions, administrators and bearer tokens."""

    def __init__(self, context: Context, audit: Audit, sessions: Sessions, site: Site) -> None:
        self._context = context
        self._audit = audit
        self._sessions = sessions
        self._site = site

    def load(self, token: str, kind: type[SectionT]) -> Saved[SectionT]:
        """One section of the session's account."""
        with self._sessions.reading(token) as (tx, session):
            return self.read(tx, session.account_id, kind)

    def load_dated(self, token: str, kind: type[SectionT]) -> Saved[SectionT]:
        """One section of the session's account, with the time of its last save if a recent event tells it."""
        with self._sessions.reading(token) as (tx, session):
            saved = self.read(tx, session.account_id, kind)
            at = self._audit.last_save(tx, session.account_id, NAMES[kind])
        return replace(saved, changed_at=at)

    def save(self, token: str, section: SectionT, version: int) -> Saved[SectionT]:
        """Store `section` over `version`; returns it at its new version.

        Raises `InvalidInput` with the first field at fault, `SettingsConflict` if another was saved meanwhile, and
        `FreshProofRequired` when it changes where notifications go or weakens a safeguard.
        """
        section = section.checked()
        with self._sessions.writing(token) as (tx, session):
            return self._write(
                tx,
                session.account_id,
                section,
                version,
                actor=session.name,
                source=session.source,
                is_proved=self._is_proved(session),
            )

    def load_for(self, account_id: int, kind: type[SectionT]) -> Saved[SectionT]:
        """One section of any account, for the administrator."""
        with self._context.database.read() as tx:
            return self.read(tx, account_id, kind)

    def save_for(self, account_id: int, section: SectionT, version: int, *, actor: str) -> Saved[SectionT]:
        """Store `section` over `version` for the administrator, who needs no proof of the account's owner.

        Raises `InvalidInput` with the first field at fault, and `SettingsConflict` if another was saved meanwhile.
        """
        section = section.checked()
        with self._context.database.write() as tx:
            lock_against_deletion(tx, account_id)
            return self.save_in(tx, account_id, section, version, actor=actor)

    def save_in(
        self, tx: Connection, account_id: int, section: SectionT, version: int, *, actor: str
    ) -> Saved[SectionT]:
        """As `save_for`, for a checked section, in a transaction that holds the account's lock."""
        return self._write(tx, account_id, section, version, actor=actor, source=COMMAND_LINE, is_proved=True)

    def save_with_token(
        self, tx: Connection, holder: TokenHolder, section: SectionT, version: int, proof: Proof | None = None
    ) -> Saved[SectionT]:
        """Store `section` over `version` for a bearer token, in the transaction that read it.

        A token proves nothing about its holder, so a change that needs a proof needs `proof`. Raises the errors of
        `save`.
        """
        return self._write(
            tx,
            holder.account_id,
            section.checked(),
            version,
            actor=holder.name,
            source=SOURCE,
            is_proved=proof is not None and proof.holds(tx, holder.account_id),
        )

    def read(self, tx: Connection, account_id: int, kind: type[SectionT]) -> Saved[SectionT]:
        """One section. Raises `DatabaseRefused` if its row is missing."""
        row = tx.execute(_READ[kind], {"account": account_id}).one_or_none()
        if row is None:
            raise DatabaseRefused("The settings of this account are missing.")
        return self._saved(kind, row)

    def secret(self, tx: Connection, account_id: int, column: str) -> str | None:
        """A decrypted notification secret, or None if it is not set. Raises `KeyWrong`."""
        table = NotificationSettingsRow
        sealed = tx.execute(select(table.c[f"{column}_sealed"]).where(table.c.account_id == account_id)).scalar()
        return None if sealed is None else self._context.ring.open(sealed, associated_data(column, account_id))

    def secrets(self, tx: Connection, account_id: int, channel: Channel) -> dict[str, str]:
        """The decrypted secrets of a channel by name; empty where none is set. Raises `KeyWrong`."""
        names = (setting.name for setting in settings_of_channel(channel) if setting.is_secret)
        return {name: self.secret(tx, account_id, name) or "" for name in names}

    def _write(
        self,
        tx: Connection,
        account_id: int,
        section: SectionT,
        version: int,
        *,
        actor: str,
        source: str,
        is_proved: bool,
    ) -> Saved[SectionT]:
        kind = type(section)
        before = self.read(tx, account_id, kind)
        new_secrets = self._new_secrets(account_id, section)
        save = _SAVE[kind].values(new_secrets) if new_secrets else _SAVE[kind]
        at = {"account": account_id, "old_version": version, "new_version": version + 1}
        new = {f"new_{name}": value for name, value in _columns(section).items()}
        row = tx.execute(save, new | at).one_or_none()
        if row is None:
            raise SettingsConflict(self.read(tx, account_id, kind))
        self._check_addresses(tx, before.section, section)
        after = replace(self._saved(kind, row), changed_at=self._context.now())
        if not is_proved and (act := needs_proof(before.section, section)):
            raise FreshProofRequired(f"Confirm your identity to {act}.")
        # `is_set` of a kept secret may be outdated in `section`; the row is right.
        after.section.checked()
        if _threshold(before.section) != _threshold(section):
            tx.execute(update(Quota).where(Quota.c.account_id == account_id).values(warning_armed=True))
        self._audit.record(
            tx,
            account_id,
            Tag.SETTINGS_SAVED,
            actor=actor,
            source=source,
            section=NAMES[kind],
            version=version + 1,
        )
        return after

    def _check_addresses(self, tx: Connection, before: Section, section: Section) -> None:
        """Raise `InvalidUrl` for a new address that no message may be sent to."""
        new = dict(_new_web_addresses(before, section))
        if new:
            allow = AllowList.read(self._site.items_in(tx, ALLOW_LIST_SETTING))
            for name, url in new.items():
                check_web_address(url, allow, name)

    def _is_proved(self, session: AuthorizedSession) -> bool:
        return is_fresh(session.proved_at, self._context.now())

    def _saved(self, kind: type[SectionT], row: Any) -> Saved[SectionT]:
        values = dict(row._mapping)
        account_id, version = values.pop("account_id"), values.pop("version")
        return Saved(self._section(kind, account_id, values), version)

    def _section(self, kind: type[SectionT], account_id: int, values: Mapping[str, Any]) -> SectionT:
        return kind(**{setting.name: self._value(setting, account_id, values) for setting in settings_of(kind)})

    def _value(self, setting: Setting, account_id: int, values: Mapping[str, Any]) -> Any:
        stored = values[setting.column]
        if setting.type is SettingType.MODULES:
            return _names(stored)
        if not setting.is_secret:
            return stored
        if stored is None:
            return StoredSecret()
        secret = self._context.ring.open(stored, associated_data(setting.name, account_id))
        return StoredSecret(is_set=True, hint=setting.hint(secret))

    def _new_secrets(self, account_id: int, section: Section) -> dict[str, bytes | None]:
        sealed: dict[str, bytes | None] = {}
        for setting in secrets_of(type(section)):
            new = getattr(section, setting.name).new
            if new is not None:
                data = associated_data(setting.name, account_id)
                sealed[setting.column] = self._context.seal(new, data) if new else None
        return sealed


def _names(stored: object) -> frozenset[str]:
    """A stored set of modules. Raises `DatabaseDamaged` for JSON that is not a list of strings."""
    if not isinstance(stored, list) or not all(isinstance(name, str) for name in stored):
        raise DatabaseDamaged
    return frozenset(stored)


def open_sections(tx: Connection, account_id: int) -> None:
    """Give a new account its four sections, with their defaults, at version 1."""
    for kind, table in _TABLES.items():
        tx.execute(insert(table).values(account_id=account_id, version=1, **_columns(kind())))


def _columns(section: Section) -> dict[str, Any]:
    """The value of every column except those of secrets."""
    values = {
        setting.column: getattr(section, setting.name)
        for setting in settings_of(type(section))
        if not setting.is_secret
    }
    return {name: sorted(value) if isinstance(value, frozenset) else value for name, value in values.items()}


def _new_web_addresses(before: Section, section: Section) -> Iterator[tuple[str, str]]:
    """The name and the value of each web address that `section` changes."""
    for setting in settings_of(type(section)):
        if setting.type is not SettingType.ADDRESS:
            continue
        value = getattr(section, setting.name)
        url = value.new if setting.is_secret else value
        if url and url != getattr(before, setting.name):
            yield setting.name, url


def _threshold(section: Section) -> int | None:
    return section.threshold_micro_usd if isinstance(section, NotificationSettings) else None


def associated_data(column: str, account_id: int) -> str:
    """The associated data of a sealed secret of the notification settings."""
    return f"notification_settings:{column}:{account_id}"
