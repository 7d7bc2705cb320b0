"""The four settings sections, as values: what a pane shows, and what it hands back to be saved."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, Self

from store import inputs
from store.errors import InvalidInput, InvalidMoney, InvalidNumber, InvalidSecret, InvalidSetting, InvalidUrl
from store.modules import MODULES
from store.money import MAXIMUM_MICRO_USD, MICRO_PER_USD
from store.secret_fields import (
    StoredSecret,
    check_bark_encryption_key,
    check_bark_url,
    check_gotify_token,
    check_webhook_secret,
)

DEFAULT_THRESHOLD: Final = MICRO_PER_USD
LOWEST_PRIORITY: Final = 0
HIGHEST_PRIORITY: Final = 10
DEFAULT_PRIORITY: Final = 5


class Channel(StrEnum):
    """Ways to reach a person."""

    EMAIL = "email"
    WEBHOOK = "webhook"
    BARK = "bark"
    GOTIFY = "gotify"


@dataclass(frozen=True, slots=True)
class NotificationSettings:
    """When and where a person is warned. A channel's fields are kept while it is off."""

    threshold_micro_usd: int = DEFAULT_THRESHOLD
    """A warning goes out when the remaining quota falls below this."""
    email_on: bool = True
    email_address: str = ""
    """Empty: the address bound to the account."""
    webhook_on: bool = False
    webhook_url: str = ""
    webhook_secret: StoredSecret = field(default_factory=StoredSecret)
    bark_on: bool = False
    bark_url: StoredSecret = field(default_factory=StoredSecret)
    bark_encryption_key: StoredSecret = field(default_factory=StoredSecret)
    """The key set in the Bark app for encrypted pushes. Without one, pushes are readable by the Bark server."""
    gotify_on: bool = False
    gotify_url: str = ""
    gotify_token: StoredSecret = field(default_factory=StoredSecret)
    gotify_priority: int = DEFAULT_PRIORITY

    def checked(self) -> Self:
        """Itself with every field in its kept form. Raises `InvalidInput` naming the first field at fault."""
        problems = self.problems()
        if problems:
            raise problems[0]
        return replace(
            self,
            email_address=inputs.check_email(self.email_address) if self.email_address.strip() else "",
            webhook_url=self.webhook_url.strip(),
            webhook_secret=self.webhook_secret.trimmed(),
            bark_url=self.bark_url.trimmed(),
            bark_encryption_key=self.bark_encryption_key.trimmed(),
            gotify_url=self.gotify_url.strip(),
            gotify_token=self.gotify_token.trimmed(),
        )

    def problems(self) -> list[InvalidInput]:
        """Everything that is wrong, in the order of the form: all errors are shown at once."""
        checks: tuple[Callable[[], object], ...] = (
            lambda: _require(
                0 <= self.threshold_micro_usd <= MAXIMUM_MICRO_USD,
                InvalidMoney,
                "quota-warning-threshold",
                "A threshold lies between 0 and 1,000,000,000 dollars.",
            ),
            lambda: self.email_address.strip() and inputs.check_email(self.email_address),
            lambda: _check_address(self.webhook_url, "webhook-url", self.webhook_on, "the webhook is sent to"),
            lambda: check_webhook_secret(self.webhook_secret),
            lambda: check_bark_url(self.bark_url),
            lambda: _require(
                self.bark_url.will_be_set or not self.bark_on,
                InvalidUrl,
                "bark-url",
                "Enter the address the Bark app shows.",
            ),
            lambda: check_bark_encryption_key(self.bark_encryption_key),
            lambda: _check_address(self.gotify_url, "gotify-url", self.gotify_on, "of your Gotify server"),
            lambda: _require(
                "?" not in self.gotify_url,
                InvalidUrl,
                "gotify-url",
                "Leave the question mark and what follows out. The token has a field of its own.",
            ),
            lambda: check_gotify_token(self.gotify_token),
            lambda: _require(
                self.gotify_token.will_be_set or not self.gotify_on,
                InvalidSecret,
                "gotify-token",
                "Enter the application token from Gotify.",
            ),
            lambda: _require(
                LOWEST_PRIORITY <= self.gotify_priority <= HIGHEST_PRIORITY,
                InvalidNumber,
                "gotify-priority",
                f"Enter a whole number from {LOWEST_PRIORITY} to {HIGHEST_PRIORITY}.",
            ),
        )
        found = []
        for check in checks:
            try:
                check()
            except InvalidInput as error:
                found.append(error)
        return found

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The channels that are on."""
        states = {
            Channel.EMAIL: self.email_on,
            Channel.WEBHOOK: self.webhook_on,
            Channel.BARK: self.bark_on,
            Channel.GOTIFY: self.gotify_on,
        }
        return tuple(channel for channel, is_on in states.items() if is_on)


@dataclass(frozen=True, slots=True)
class PriceSettings:
    """Whether calls to models without a price are let through."""

    accept_unpriced_models: bool = False

    def checked(self) -> Self:
        return self


@dataclass(frozen=True, slots=True)
class PrivacySettings:
    """Whether consumption and error logs hold the client's IP address."""

    record_client_ip: bool = False

    def checked(self) -> Self:
        return self


@dataclass(frozen=True, slots=True)
class SidebarSettings:
    """The modules left out of the sidebar. Visibility only."""

    hidden_modules: frozenset[str] = frozenset()

    def checked(self) -> Self:
        """Raises `InvalidSetting` for a module there is not."""
        unknown = sorted(self.hidden_modules - set(MODULES))
        if unknown:
            raise InvalidSetting(inputs.did_you_mean(unknown[0], MODULES).replace("setting", "module"))
        return self


Section = NotificationSettings | PriceSettings | PrivacySettings | SidebarSettings


def _require(is_right: bool, error: type[InvalidInput], field: str, sentence: str) -> None:
    if not is_right:
        raise error(sentence, field=field)


def _check_address(url: str, field: str, is_needed: bool, what: str) -> None:
    if url.strip():
        inputs.check_url(url, field=field)
    else:
        _require(not is_needed, InvalidUrl, field, f"Enter the address {what}.")
