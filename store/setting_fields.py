"""The declaration of a setting: one place for its texts, its type, its bounds and its checks.

The sections in `store.sections` are frozen dataclasses. Each attribute is made with `declare`. The forms, the command
line, the HTTP API, the export, the sealed columns and the settings page of the documentation read the same declaration.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from functools import cache
from typing import Any, Final, NamedTuple, Self, TypeVar
from urllib.parse import urlsplit

from store import inputs
from store.errors import InvalidInput, InvalidNumber, InvalidSecret, InvalidUrl
from store.secret_fields import StoredSecret

T = TypeVar("T")
Check = Callable[[Any, str], object]
"""Takes a value that is not blank and the name of its setting. Raises `InvalidInput`."""
_SETTING: Final = "setting"
_SHORTEST_WITH_HINT: Final = 16
"""Characters. The last four of a shorter secret would be a large part of it."""


class SettingType(StrEnum):
    """The kind of value that a setting holds. The value is the word of the documentation."""

    SWITCH = "switch"
    TEXT = "text"
    EMAIL = "e-mail address"
    ADDRESS = "web address"
    WHOLE_NUMBER = "whole number"
    MONEY = "amount in USD"
    MODULES = "set of modules"


class Setting(NamedTuple):
    """Everything about one setting of an account but its value. There is one object for each, made with names."""

    type: SettingType
    title: str
    """The name for a person, clear without the form around it."""
    help: str
    """One line about the focused control."""
    summary: str
    """The line in the list of `gatekey settings set --help`."""
    label: str = ""
    """The name in the form, below the switch of the channel. Empty: the title."""
    group: str = ""
    """The heading above the channel of a switch."""
    about: str = ""
    """The effect of the setting, in full; paragraphs are separated by an empty line. Empty: the help says all."""
    consequence: str = ""
    """The consequence of the setting."""
    channel: str = ""
    """The notification channel that the setting belongs to."""
    is_secret: bool = False
    """True if the value is a `StoredSecret`: sealed in the database and never shown again."""
    has_hint: bool = True
    """True if the end of a secret may be shown. Not of one that a person chose."""
    lowest: int = 0
    highest: int = 0
    """Bounds of a whole number."""
    checks: tuple[Check, ...] = ()
    """Checks besides those of the type."""
    needed: str = ""
    """The refusal while the channel is on and the value is empty. Empty: the value is optional."""
    if_lowered: str = ""
    """The act that a lower value is, which needs a fresh proof of identity. Empty: none."""
    command_name: str = ""
    """The name on the command line. Empty: the name."""
    api_name: str = ""
    """The name in the HTTP API. Empty: the name."""
    name: str = ""
    """The attribute of the section. `settings_of` fills it in."""
    default: Any = None
    """`settings_of` fills it in."""

    @property
    def column(self) -> str:
        """The column of the section's table."""
        return f"{self.name}_sealed" if self.is_secret else self.name

    @property
    def is_channel_switch(self) -> bool:
        return bool(self.channel) and self.type is SettingType.SWITCH

    @property
    def is_address(self) -> bool:
        return self.type in (SettingType.EMAIL, SettingType.ADDRESS)

    @property
    def diverts_warnings(self) -> bool:
        """True if a change sends notifications somewhere else, or lets somebody else forge them."""
        return self.is_address or self.is_secret

    def hint(self, secret: str) -> str:
        """The part of a stored secret that may be shown: the host of an address, the last four of a token."""
        if self.is_address:
            parts = urlsplit(secret)
            return f"{parts.scheme}://{parts.netloc}/…"
        return f"…{secret[-4:]}" if self.has_hint and len(secret) >= _SHORTEST_WITH_HINT else "…"

    def kept(self, value: Any) -> Any:
        """`value` without the blanks that came along when it was pasted."""
        if isinstance(value, StoredSecret):
            return value.trimmed()
        if not isinstance(value, str):
            return value
        is_email = self.type is SettingType.EMAIL and value.strip()
        return inputs.check_email(value, field=self.name) if is_email else value.strip()

    def problems(self, value: Any, *, is_on: bool) -> Iterator[InvalidInput]:
        """Everything that is wrong with `value`; `is_on` tells whether its channel is on."""
        typed = value.trimmed().new or "" if isinstance(value, StoredSecret) else value
        for check in () if _is_blank(typed) else (*self._checks_of_type(), *self.checks):
            try:
                check(typed, self.name)
            except InvalidInput as error:
                yield error
        is_missing = not value.will_be_set if isinstance(value, StoredSecret) else _is_blank(value)
        if self.needed and is_on and is_missing:
            yield (InvalidUrl if self.is_address else InvalidSecret)(self.needed, field=self.name)

    def _checks_of_type(self) -> tuple[Check, ...]:
        match self.type:
            case SettingType.EMAIL:
                return (lambda text, name: inputs.check_email(text, field=name),)
            case SettingType.ADDRESS if not self.is_secret:
                return (lambda text, name: inputs.check_url(text, field=name),)
            case SettingType.WHOLE_NUMBER:
                return (self._check_bounds,)
            case _:
                return ()

    def _check_bounds(self, number: int, name: str) -> None:
        if not self.lowest <= number <= self.highest:
            raise InvalidNumber(f"Enter a whole number from {self.lowest} to {self.highest}.", field=name)


def declare(default: T, setting: Setting) -> T:
    """An attribute of a section's dataclass, with its declaration."""
    return field(default=default, metadata={_SETTING: setting})


@dataclass(frozen=True, slots=True)
class SettingsSection:
    """The base of the sections: the checks of all their settings."""

    def checked(self) -> Self:
        """The section with every value in its kept form. Raises `InvalidInput` with the first setting at fault."""
        problems = self.problems()
        if problems:
            raise problems[0]
        kept = {setting.name: setting.kept(getattr(self, setting.name)) for setting in settings_of(type(self))}
        return replace(self, **kept)

    def problems(self) -> list[InvalidInput]:
        """Everything that is wrong, in the order of the form: all errors are shown at once."""
        return [
            problem
            for setting in settings_of(type(self))
            for problem in setting.problems(getattr(self, setting.name), is_on=self.is_on(setting.channel))
        ]

    def is_on(self, channel: str) -> bool:
        """True if a channel is on; True for settings of no channel."""
        return bool(getattr(self, f"{channel}_on")) if channel else True


def settings_of(section: type[SettingsSection]) -> tuple[Setting, ...]:
    """The settings of a section, in the order of the form."""
    kind: Any = section  # mypy takes the class of a dataclass for unhashable
    return _declared(kind)


@cache
def _declared(section: type[Any]) -> tuple[Setting, ...]:
    return tuple(
        attribute.metadata[_SETTING]._replace(name=attribute.name, default=attribute.default)
        for attribute in fields(section)
    )


def secrets_of(section: type[SettingsSection]) -> tuple[Setting, ...]:
    """The settings of a section that are secrets."""
    return tuple(setting for setting in settings_of(section) if setting.is_secret)


def _is_blank(value: object) -> bool:
    return isinstance(value, str) and not value.strip()
