"""The seam: everything a screen may ask of an account, as one asynchronous protocol.

Methods take and return frozen values and raise `store.errors.GatekeyError`; each error has a title and a sentence.
Nothing here imports the database: a screen is drawn before it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from store.sections import NotificationSettings, PriceSettings, PrivacySettings, SidebarSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from store.access_token import AccessTokenInfo, NewAccessToken
    from store.api_keys import ApiKeyInfo, NewApiKey
    from store.audit import Event
    from store.bindings import BindingInfo, ProviderInfo
    from store.email_route import EmailRoute
    from store.outbox import LastDelivery
    from store.passkey_ceremonies import CeremonyStarted, CeremonyState
    from store.passkeys import PasskeyInfo
    from store.pricing import ModelPrice, SeenModel
    from store.quota import QuotaState
    from store.recommendations import Check
    from store.sections import Channel
    from store.sessions import SessionInfo
    from store.settings import Saved
    from store.sign_in import SecondFactorNeeded
    from store.strength import Strength
    from store.two_factor import Enrolment, TwoFactorStatus
    from store.usage_log import DayTotal, Kind, UsagePage
    from tui.files import FileService

S = TypeVar("S", NotificationSettings, PriceSettings, PrivacySettings, SidebarSettings)


@dataclass(frozen=True, slots=True)
class Summary:
    """What the line above every page says."""

    name: str
    email: str
    remaining_micro_usd: int
    two_factor: TwoFactorStatus
    checks: tuple[Check, ...]
    hidden_modules: frozenset[str]
    """Modules left out of the sidebar, by the account or by the administrator."""
    locked_modules: frozenset[str]
    """Those the administrator has hidden: the account cannot show them."""


@dataclass(frozen=True, slots=True)
class SecurityOverview:
    """Everything the Security tab shows."""

    has_password: bool
    password_changed_at: datetime | None
    access_token: AccessTokenInfo | None
    two_factor: TwoFactorStatus
    passkeys_enabled: bool
    passkeys: tuple[PasskeyInfo, ...]
    sessions: tuple[SessionInfo, ...]


@dataclass(frozen=True, slots=True)
class BindingOverview:
    """Everything the Account Binding tab shows."""

    enabled: bool
    bindings: tuple[BindingInfo, ...]


@dataclass(frozen=True, slots=True)
class PriceOverview:
    """Everything the Price tab shows besides its switch."""

    forbids_unpriced: bool
    """Whether the administrator refuses models without a price, whatever the account accepts."""
    seen: tuple[SeenModel, ...]
    """Models the account called that have no price, last seen first."""


@dataclass(frozen=True, slots=True)
class SignInWays:
    """What a sign-in screen may offer besides the password."""

    passkeys: bool
    providers: tuple[ProviderInfo, ...]


@dataclass(frozen=True, slots=True)
class DeviceLogin:
    """A device authorization under way (RFC 8628): what the person needs, and nothing they must not see."""

    provider: ProviderInfo
    user_code: str
    verification_uri: str
    complete_uri: str
    """The address with the code in it, for the QR; empty if the provider gives none."""
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class FoundIdentity:
    """Who the provider says it is."""

    provider: ProviderInfo
    subject: str
    display: str


@dataclass(frozen=True, slots=True)
class PasskeyPage:
    """Where the passkey page is, and what to type there."""

    url: str
    complete_url: str
    """The address with the code in it, for the QR."""
    started: CeremonyStarted


class AccountService(Protocol):
    """One person's account. Every method may raise `StoreUnavailable`; those of a signed-in account `SessionEnded`
    and `SessionLocked`; those that change credentials `FreshProofRequired`."""

    # -- opening and signing in ------------------------------------------------------------------------------

    @property
    def is_demo(self) -> bool: ...

    @property
    def is_open(self) -> bool:
        """Whether `open` has been called."""
        ...

    @property
    def starts_signed_in(self) -> bool:
        """Whether there is nobody to ask: a demo, or a session that was handed in."""
        ...

    @property
    def files(self) -> FileService:
        """Where this console may save something to."""
        ...

    def now(self) -> datetime: ...

    async def open(self) -> bool:
        """Open the data; True if nobody has an account yet."""
        ...

    async def until_open(self) -> None:
        """Wait until `open` has done so, whoever called it."""
        ...

    async def close(self) -> None: ...

    async def ways_to_sign_in(self) -> SignInWays: ...

    async def estimate_password(self, password: str, *known_words: str) -> Strength: ...

    @property
    def sign_in_notice(self) -> str:
        """What the person who signed in should change, such as a password the site finds too short; or nothing."""
        ...

    async def shortest_password(self) -> int:
        """How many characters a new password needs: for this account, or for one made now."""
        ...

    async def check_new_password(self, password: str, *known_words: str) -> None:
        """Raises `PasswordRefused` unless it is good enough for this account, or for one known by these words."""
        ...

    async def create_account(self, name: str, email: str, password: str) -> None:
        """Create the first account and sign in to it."""
        ...

    async def sign_in(self, name: str, password: str) -> SecondFactorNeeded | None:
        """None: signed in."""
        ...

    async def enter_code(self, step: SecondFactorNeeded, code: str) -> None: ...

    async def sign_out(self) -> None: ...

    async def lock(self) -> None: ...

    async def prove_with_password(self, password: str) -> None:
        """Prove again who one is; also unlocks."""
        ...

    async def prove_with_code(self, code: str) -> None: ...

    # -- the page --------------------------------------------------------------------------------------------

    async def summary(self) -> Summary: ...

    async def load(self, kind: type[S]) -> Saved[S]: ...

    async def save(self, section: S, version: int) -> Saved[S]: ...

    # -- security --------------------------------------------------------------------------------------------

    async def security(self) -> SecurityOverview: ...

    async def events(self, before: int | None = None) -> list[Event]: ...

    async def change_password(self, original: str, new: str, confirmation: str) -> None: ...

    async def generate_token(self) -> NewAccessToken: ...

    async def revoke_token(self) -> None: ...

    async def begin_two_factor(self) -> Enrolment: ...

    async def confirm_codes_saved(self, code: str) -> None: ...

    async def complete_two_factor(self, code: str) -> TwoFactorStatus: ...

    async def cancel_two_factor(self) -> None: ...

    async def disable_two_factor(self, password: str = "") -> None:
        """Raises `PasswordNeeded` where only the password can tell whether it is long enough to stay alone."""
        ...

    async def renew_backup_codes(self) -> tuple[str, ...]: ...

    async def sign_out_others(self) -> int: ...

    async def revoke_session(self, session_id: int) -> None: ...

    async def check_deletable(self) -> bool:
        """Whether old versions of deleted rows stay on the disk until the database is vacuumed.

        Raises `RootAccount` or `LastAdministrator`.
        """
        ...

    async def delete_account(self, typed_name: str) -> bool:
        """True if every byte is off the disk already."""
        ...

    async def export_to(self, path: Path) -> Path:
        """Write the export to a new file of mode 0600; returns its absolute path. Raises as `files.save`."""
        ...

    # -- passkeys --------------------------------------------------------------------------------------------

    async def begin_passkey_registration(self, label: str) -> PasskeyPage: ...

    async def begin_passkey_proof(self) -> PasskeyPage: ...

    async def begin_passkey_sign_in(self) -> PasskeyPage: ...

    async def passkey_outcome(self, page: PasskeyPage) -> CeremonyState: ...

    async def finish_passkey_sign_in(self, page: PasskeyPage) -> SecondFactorNeeded | None: ...

    async def cancel_passkey(self, page: PasskeyPage) -> None: ...

    async def rename_passkey(self, passkey_id: int, label: str) -> None: ...

    async def remove_passkey(self, passkey_id: int) -> None: ...

    # -- bindings --------------------------------------------------------------------------------------------

    async def bindings(self) -> BindingOverview: ...

    async def begin_device_login(self, slug: str) -> DeviceLogin: ...

    async def wait_for_identity(self, login: DeviceLogin, *, told: Callable[[bool], None]) -> FoundIdentity:
        """Poll the provider until somebody decided; cancel the task to stop.

        `told` hears after each question whether the provider could be reached.
        """
        ...

    async def bind(self, identity: FoundIdentity) -> None: ...

    async def sign_in_with(self, identity: FoundIdentity) -> SecondFactorNeeded | None: ...

    async def unbind(self, binding_id: int) -> None: ...

    # -- other settings --------------------------------------------------------------------------------------

    async def last_deliveries(self) -> dict[Channel, LastDelivery]: ...

    async def send_test(self, channel: Channel) -> LastDelivery:
        """Send a test message now. To an address that is not confirmed, the message with the code goes instead."""
        ...

    async def email_route(self) -> EmailRoute:
        """Where e-mail warnings go, and the notification address that waits for its code."""
        ...

    async def confirm_email(self, code: str) -> EmailRoute:
        """Confirm the notification address with the code that was sent there. Raises `WrongCode`."""
        ...

    async def pricing(self) -> PriceOverview: ...

    async def count_ips(self) -> int: ...

    async def erase_ips(self) -> int: ...

    # -- the other modules -----------------------------------------------------------------------------------

    async def quota(self) -> QuotaState: ...

    async def days(self, count: int = 30) -> list[DayTotal]: ...

    async def usage(self, kind: Kind | None, before: int | None = None, model: str | None = None) -> UsagePage: ...

    async def prices(self) -> list[ModelPrice]: ...

    async def api_keys(self) -> list[ApiKeyInfo]: ...

    async def create_api_key(
        self, name: str, expires_at: datetime | None, spend_limit_micro_usd: int | None
    ) -> NewApiKey: ...

    async def revoke_api_key(self, key_id: int) -> None: ...
