"""The import of an account of another gateway into one that is here, in one write transaction.

What cannot be carried is left out with its reason, and never stops the rest: an address that no message may be sent to
here, a secret of another form, a key that has expired.
"""

from dataclasses import replace
from typing import Final

from sqlalchemy import Connection

from store.accounts import Accounts
from store.addresses import ALLOW_LIST_SETTING, AllowList
from store.api_key_acts import KeyActor
from store.api_keys import ApiKeys
from store.audit_tags import COMMAND_LINE
from store.context import Context
from store.errors import InvalidEmail, InvalidInput, LimitReached
from store.imported_channel import import_channel
from store.money import show_usd
from store.price_lookup import find_price
from store.pricing import Pricing
from store.row_locks import lock_by_name
from store.sections import NotificationSettings, PriceSettings, PrivacySettings, Section, SidebarSettings
from store.settings import Settings
from store.site import Site
from store.text import fold
from store.values.account_import import (
    Fate,
    ForeignAccount,
    ForeignKey,
    ForeignPrice,
    ImportLine,
    ImportReport,
    MadeKey,
)
from store.values.billing import ModelPrice
from store.values.sections import SectionT

_LISTED: Final = "A new key of this name and these limits is made with --make-keys."


class AccountImport:
    """Writes what another account has into one of this store, for an administrator."""

    def __init__(
        self,
        context: Context,
        settings: Settings,
        accounts: Accounts,
        site: Site,
        api_keys: ApiKeys,
        pricing: Pricing,
    ) -> None:
        self._context = context
        self._settings = settings
        self._accounts = accounts
        self._site = site
        self._acts = api_keys.acts
        self._pricing = pricing

    def write(self, name: str, foreign: ForeignAccount, *, makes_keys: bool, actor: str) -> ImportReport:
        """Write into the account `name`; all of it, or nothing if it raises. `makes_keys` makes keys of those names.

        Raises `NoSuchAccount`.
        """
        with self._context.database.write() as tx:
            return self._write(tx, name, foreign, makes_keys=makes_keys, actor=actor)

    def preview(self, name: str, foreign: ForeignAccount, *, makes_keys: bool, actor: str) -> ImportReport:
        """The report of `write`, after which everything is as it was before. It has no keys."""
        try:
            with self._context.database.write() as tx:
                raise _TakenBackError(self._write(tx, name, foreign, makes_keys=makes_keys, actor=actor))
        except _TakenBackError as taken_back:
            return replace(taken_back.report, made=())

    def _write(
        self, tx: Connection, name: str, foreign: ForeignAccount, *, makes_keys: bool, actor: str
    ) -> ImportReport:
        account = lock_by_name(tx, name)
        by = KeyActor(account.id, actor, COMMAND_LINE, is_proved=True)
        lines = [
            _name_line(foreign.name, account.name),
            self._email(tx, account.name, account.email, foreign.email, actor),
            *self._notifications(tx, by, foreign),
            self._save(tx, by, PriceSettings(foreign.accept_unpriced_models), "models without a price"),
            self._save(tx, by, PrivacySettings(foreign.record_client_ip), "recorded addresses"),
            self._save(tx, by, SidebarSettings(foreign.hidden_modules), "sidebar"),
        ]
        made: list[MadeKey] = []
        known = {key.name for key in self._acts.list(tx, account.id, with_revoked=False)}
        for key in foreign.keys:
            line, secret = self._key(tx, by, key, is_known=key.name in known, makes=makes_keys)
            lines.append(line)
            made += [MadeKey(key.name, secret)] if secret else []
        priced = [(price, self._price(tx, price)) for price in foreign.prices]
        for price, line in priced:
            if price.price is not None and line.fate is Fate.CARRIED:
                self._pricing.note_set(tx, price.price, actor=by.name)
        lines += [line for _, line in priced]
        return ImportReport((*lines, *foreign.left), tuple(made))

    def _email(self, tx: Connection, name: str, before: str, email: str, actor: str) -> ImportLine:
        what = "e-mail address"
        if not email:
            return ImportLine(what, Fate.LEFT, "There is none.")
        if email == before:
            return ImportLine(what, Fate.SAME, email)
        try:
            self._accounts.set_email_in(tx, name, email, actor=actor)
        except InvalidEmail as error:
            return ImportLine(what, Fate.LEFT, f"{error}")
        return ImportLine(what, Fate.CARRIED, email)

    def _notifications(self, tx: Connection, by: KeyActor, foreign: ForeignAccount) -> list[ImportLine]:
        saved = self._settings.read(tx, by.account_id, NotificationSettings)
        section, what = saved.section, "warning threshold"
        if foreign.threshold_micro_usd is None:
            lines = [ImportLine(what, Fate.LEFT, "None was chosen there.")]
        else:
            is_same = foreign.threshold_micro_usd == section.threshold_micro_usd
            section = replace(section, threshold_micro_usd=foreign.threshold_micro_usd)
            shown = show_usd(foreign.threshold_micro_usd, exact=True)
            lines = [ImportLine(what, Fate.SAME if is_same else Fate.CARRIED, shown)]
        if foreign.channel is not None:
            secrets = self._settings.secrets(tx, by.account_id, foreign.channel)
            allow = AllowList.read(self._site.items_in(tx, ALLOW_LIST_SETTING))
            found = import_channel(section, foreign.channel, foreign.channel_fields, secrets, allow)
            section = found.section
            lines += found.lines
        if section != saved.section:
            self._settings.save_in(tx, by.account_id, section, saved.version, actor=by.name)
        return lines

    def _save(self, tx: Connection, by: KeyActor, section: SectionT, what: str) -> ImportLine:
        """Save a section of one setting."""
        saved = self._settings.read(tx, by.account_id, type(section))
        if section == saved.section:
            return ImportLine(what, Fate.SAME, _in_words(section))
        self._settings.save_in(tx, by.account_id, section, saved.version, actor=by.name)
        return ImportLine(what, Fate.CARRIED, _in_words(section))

    def _key(
        self, tx: Connection, by: KeyActor, key: ForeignKey, *, is_known: bool, makes: bool
    ) -> tuple[ImportLine, str]:
        """The line about a key, and the new key if one was made; empty otherwise."""
        what = f"API key {key.name}"
        if is_known:
            return ImportLine(what, Fate.SAME, "There is a key of this name."), ""
        if key.why_not or not makes:
            return ImportLine(what, Fate.LEFT, key.why_not or _LISTED), ""
        try:
            made = self._acts.create(tx, by, key.name, key.limits)
        except (InvalidInput, LimitReached) as error:
            return ImportLine(what, Fate.LEFT, f"{error}"), ""
        return ImportLine(what, Fate.CARRIED, "A new key of this name and these limits: it is shown once."), made.key

    def _price(self, tx: Connection, foreign: ForeignPrice) -> ImportLine:
        """Set the price of a model that has none here. Another price was chosen by the administrator, and stays."""
        what, price = f"price of {foreign.model}", foreign.price
        if price is None:
            return ImportLine(what, Fate.LEFT, foreign.note)
        words, known = _price_in_words(price), find_price(tx, price.model)
        if known is not None:
            if _amounts(known) == _amounts(price):
                return ImportLine(what, Fate.SAME, words)
            return ImportLine(what, Fate.LEFT, f"{words} there. {known.model} has another price here, which stays.")
        try:
            self._pricing.put(tx, price)
        except InvalidInput as error:
            return ImportLine(what, Fate.LEFT, f"{error}")
        return ImportLine(what, Fate.CARRIED, f"{words}{foreign.note and f', {foreign.note}'}")


class _TakenBackError(Exception):
    """Ends a write transaction so that nothing of it is kept."""

    def __init__(self, report: ImportReport) -> None:
        super().__init__()
        self.report = report


def _amounts(price: ModelPrice) -> tuple[int, int, int, int]:
    cached = price.input_per_million if price.cached_input_per_million is None else price.cached_input_per_million
    return price.input_per_million, cached, price.output_per_million, price.per_request


def _price_in_words(price: ModelPrice) -> str:
    into, cached, out, each = (show_usd(amount, exact=True) for amount in _amounts(price))
    if price.per_request and not (price.input_per_million or price.output_per_million):
        return f"{each} a request"
    of_cached = f", {cached} cached" if cached != into else ""
    of_request = f", {each} a request" if price.per_request else ""
    return f"{into} in{of_cached}, {out} out per million tokens{of_request}"


def _name_line(there: str, here: str) -> ImportLine:
    if fold(there) == fold(here):
        return ImportLine("name", Fate.SAME, here)
    return ImportLine("name", Fate.LEFT, f"It is {there} there. A name is never changed: it stays {here}.")


def _in_words(section: Section) -> str:
    match section:
        case PriceSettings(accepts):
            return "let through" if accepts else "blocked"
        case PrivacySettings(records):
            return "on" if records else "off"
        case SidebarSettings(hidden) if hidden:
            return f"hidden: {', '.join(sorted(hidden))}"
        case _:
            return "everything is shown"
