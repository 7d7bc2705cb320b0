"""The settings, saved by read, merge and write.

`PUT /api/user/setting` replaces everything: it erases the sidebar, the language, the billing preference, and the
fields of every channel but the selected one. So a save reads what is there, refuses if the section was changed since
the person read it, sends the whole form with the change in it, and puts back what the server erased. What has to be put
back is noted first, on disk if the session is kept: a save that is interrupted is completed by the next read or save.
"""

import contextlib
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from remote import sidebar
from remote.calls import SELF_PATH, Calls
from remote.generations import KnownServer
from remote.own_account import OwnAccount, read_own_account
from remote.quota_units import quota_at_least
from remote.setting_forms import (
    CHANNEL_FIELDS,
    SERVER_THRESHOLD,
    NotificationForm,
    RemoteSettings,
    channel_fields,
    form_as_stored,
    form_of_fields,
    merged_with,
    settings_of_account,
    switches,
)
from store.errors import (
    AnswerLost,
    NotOnThisServer,
    SaveInterrupted,
    ServerFailed,
    ServerRefused,
    SessionEnded,
    StaleEdit,
)

SETTING_PATH: Final = "/api/user/setting"
PREFERENCE_PATH: Final = "/api/subscription/self/preference"
_SPARE: Final = timedelta(minutes=2)
_WIPED: Final = ("sidebar_modules", "language", "billing_preference")
"""Members of the settings that the server erases with each save of the form, in the order they are put back."""
_WORDS: Final = {
    "sidebar_modules": "the sidebar",
    "language": "the language of its messages",
    "billing_preference": "the billing preference",
}
_SAVED_UNREAD: Final = "The settings were saved, but could not be read again after that."
_REFUSED: Final = "The server did not accept these settings, and kept the former ones. Check the fields of the channel."


class ChangedOnServer(StaleEdit):
    """Another console, or the server's page, saved this section first. `theirs` is what is stored now."""

    def __init__(self, theirs: RemoteSettings) -> None:
        super().__init__()
        self.theirs = theirs


class Settings:
    """Reads and saves the settings of an account."""

    def __init__(self, calls: Calls, server: KnownServer) -> None:
        self._calls = calls
        self._server = server

    async def read(
        self,
    ) -> RemoteSettings:
        """The settings as they are now. Completes a save that was interrupted. Raises the session errors."""
        facts = await self._server.facts()
        account = await read_own_account(self._calls)
        with contextlib.suppress(SaveInterrupted):  # it stays owed, and reading goes on without it
            if await self._settle(account):
                account = await read_own_account(self._calls)
        return settings_of_account(account, facts)

    @property
    def keeps_on_disk(self) -> bool:
        """True if the fields that the server forgets outlive the program: they are kept with the session."""
        return self._calls.keeper.keeps_on_disk

    def whole_form(self, form: NotificationForm) -> NotificationForm:
        """`form` as the server has it, with the fields of its other channels, as far as they are kept here."""
        kept = self._calls.keeper.channels
        return form if kept is None else merged_with(form, form_of_fields(kept))

    async def keep_form(self, form: NotificationForm) -> None:
        """Keep the fields of every channel. Raises `StoreUnavailable`; they are held in memory all the same."""
        await self._calls.keeper.keep_channels(channel_fields(form))

    async def save_notifications(self, form: NotificationForm, seen: RemoteSettings) -> RemoteSettings:
        """Save the notification settings.

        Raises `InvalidInput` (a child of it) with the field at fault, `ChangedOnServer`, `ServerRefused`,
        `SaveInterrupted` if only a part is stored, and the session errors.
        """
        facts = await self._server.facts()
        form.checked()
        now = await self.read()
        if form_as_stored(now.stored) != form_as_stored(seen.stored):
            raise ChangedOnServer(now)
        if form.threshold_micro_usd == now.form.threshold_micro_usd and now.is_form_stored:
            threshold = now.stored.number("quota_warning_threshold") or SERVER_THRESHOLD
        else:
            threshold = Decimal(quota_at_least(form.threshold_micro_usd, facts.quota_per_usd))
        body: dict[str, Any] = {"notify_type": form.channel.value, "quota_warning_threshold": threshold}
        body |= {name: getattr(form, name) for name in CHANNEL_FIELDS[form.channel]}
        return await self._write(now, switches(now) | body)

    async def save_price(self, *, accept_unpriced: bool, seen: RemoteSettings) -> RemoteSettings:
        """Save the switch of models without a price. Raises what `save_notifications` raises."""
        now = await self.read()
        if now.accept_unpriced_models != seen.accept_unpriced_models:
            raise ChangedOnServer(now)
        changed = switches(now) | {"accept_unset_model_ratio_model": accept_unpriced}
        return await self._write(now, form_as_stored(now.stored) | changed)

    async def save_privacy(self, *, record_client_ip: bool, seen: RemoteSettings) -> RemoteSettings:
        """Save the switch of recorded addresses. Raises what `save_notifications` raises."""
        now = await self.read()
        if now.record_client_ip != seen.record_client_ip:
            raise ChangedOnServer(now)
        changed = switches(now) | {"record_ip_log": record_client_ip}
        return await self._write(now, form_as_stored(now.stored) | changed)

    async def save_sidebar(self, hidden: frozenset[str], seen: RemoteSettings) -> RemoteSettings:
        """Save which modules are left out. Raises `ChangedOnServer`, `ServerRefused` and the session errors."""
        now = await self.read()
        if now.hidden_modules != seen.hidden_modules:
            raise ChangedOnServer(now)
        if hidden == now.hidden_modules:
            return now
        text = sidebar.with_hidden(now.sidebar_text, hidden)
        await self._calls.change("PUT", SELF_PATH, {"sidebar_modules": text}, is_repeatable=True)
        return await self._read_back()

    async def save_language(self, language: str) -> RemoteSettings:
        """Save the language of the server's messages, such as `en`. Raises `ServerRefused` and the session errors."""
        await self._calls.change("PUT", SELF_PATH, {"language": language}, is_repeatable=True)
        return await self._read_back()

    # -- the write ------------------------------------------------------------------------------------------------

    async def _write(self, now: RemoteSettings, body: dict[str, Any]) -> RemoteSettings:
        if now.is_form_stored and body == form_as_stored(now.stored) | switches(now):
            return now
        # A refresh here rather than between the parts of the save.
        await self._calls.refresh_if_due(_SPARE)
        owed = self._calls.keeper.owed or {}
        erased = {name: str(owed[name]) for name in _WIPED if owed.get(name)} | _erased_by_a_save(now)
        await self._calls.keeper.owe(erased or None)
        try:
            # Sent again after a lost answer: it holds everything, so twice is as good as once.
            await self._calls.change("PUT", SETTING_PATH, body, is_repeatable=True)
        except ServerRefused as error:
            await self._calls.keeper.owe(owed or None)  # nothing more was erased
            raise ServerRefused(_REFUSED, code=error.code) from error
        except AnswerLost as error:
            raise AnswerLost(f"{AnswerLost.sentence} What the server may have erased is put back then.") from error
        await self._put_back(erased)
        return await self._read_back()

    async def _read_back(self) -> RemoteSettings:
        """The settings after a save. Raises `AnswerLost` if they cannot be read: they are saved all the same."""
        try:
            return await self.read()
        except ServerFailed as error:
            raise AnswerLost(_SAVED_UNREAD) from error

    async def _settle(self, account: OwnAccount) -> bool:
        """Put back what an interrupted save owes. Returns whether anything was written."""
        owed = self._calls.keeper.owed
        if not owed:
            return False
        # What has a value again was set by somebody else since.
        missing = {name: str(owed[name]) for name in _WIPED if owed.get(name) and not _kept_now(account, name)}
        await self._put_back(missing)
        return bool(missing)

    async def _put_back(self, erased: dict[str, str]) -> None:
        left = dict(erased)
        try:
            for name, value in erased.items():
                await self._put_back_one(name, value)
                del left[name]
                await self._calls.keeper.owe(left or None)
        except SessionEnded as error:
            raise SessionEnded(
                f"This session ended in the middle of a save. The settings were saved, and {_listed(left)} will be "
                "put back once you have signed in again."
            ) from error
        except (ServerFailed, ServerRefused) as error:
            raise SaveInterrupted(
                f"The settings were saved, but the server erased {_listed(left)} with it, and does not take that back "
                f"now. It is sent again with the next save. ({error.title}.)"
            ) from error
        await self._calls.keeper.owe(None)

    async def _put_back_one(self, name: str, value: str) -> None:
        if name == "billing_preference":
            try:
                await self._calls.change("PUT", PREFERENCE_PATH, {name: value}, is_repeatable=True)
            except NotOnThisServer:
                return  # then nothing reads it either
        else:
            await self._calls.change("PUT", SELF_PATH, {name: value}, is_repeatable=True)


def _erased_by_a_save(now: RemoteSettings) -> dict[str, str]:
    values = (now.sidebar_text, now.language, now.billing_preference)
    return {name: value for name, value in zip(_WIPED, values, strict=True) if value}


def _kept_now(account: OwnAccount, name: str) -> str:
    return account.sidebar_text if name == "sidebar_modules" else account.settings.raw_text(name)


def _listed(names: dict[str, str]) -> str:
    words = [_WORDS[name] for name in names]
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else "nothing else"
