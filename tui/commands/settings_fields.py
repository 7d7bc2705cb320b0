"""The settings as `gatekey settings` has them: each by SECTION.FIELD, read from a word, and shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from store import inputs
from store.errors import UnknownSetting
from store.money import parse_usd, type_usd
from store.sections import NAMES
from store.setting_fields import Setting, SettingType, settings_of
from tui.commands.values import Shown


@dataclass(frozen=True, slots=True)
class Field:
    """One setting of one section."""

    section: str
    kind: Any
    """The section's class, one of the four that `Settings.load_for` takes."""
    setting: Setting

    @property
    def name(self) -> str:
        return self.setting.command_name or self.setting.name

    @property
    def full_name(self) -> str:
        return f"{self.section}.{self.name}"

    def read(self, typed: str) -> Any:
        """The section's value from what was typed; of a secret, the text itself. Raises `InvalidInput`."""
        setting = self.setting
        if setting.is_secret:
            return typed
        match setting.type:
            case SettingType.SWITCH:
                return inputs.check_switch(typed, field=self.full_name)
            case SettingType.MONEY:
                return parse_usd(typed, field=self.full_name)
            case SettingType.WHOLE_NUMBER:
                return inputs.check_whole(typed, setting.lowest, setting.highest, field=self.full_name)
            case SettingType.MODULES:
                return frozenset(word.strip(" ") for word in typed.split(",") if word.strip(" "))
            case SettingType.TEXT | SettingType.EMAIL | SettingType.ADDRESS:
                return typed.strip(" ")

    def show(self, section: Any) -> Shown:
        """The value in `section`, as JSON has it."""
        value = getattr(section, self.setting.name)
        if self.setting.is_secret:
            return {"is_set": value.is_set, "hint": value.hint}
        if self.setting.type is SettingType.MONEY:
            return type_usd(value)
        shown: Shown = sorted(value) if self.setting.type is SettingType.MODULES else value
        return shown


_FIELDS: Final = tuple(Field(name, kind, setting) for kind, name in NAMES.items() for setting in settings_of(kind))
FIELDS: Final[Mapping[str, Field]] = {field.full_name: field for field in _FIELDS}
"""Every setting of an account, by `SECTION.FIELD`, in the order of the page."""


def find(name: str) -> Field:
    """The field called `name`. Raises `UnknownSetting`, naming one that is spelt alike."""
    if name in FIELDS:
        return FIELDS[name]
    raise UnknownSetting(inputs.did_you_mean(name, FIELDS))
