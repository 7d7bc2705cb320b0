"""The notification channel of another account, merged into the settings of one that is here.

Each field is checked as the form checks it. One that cannot be kept stays as it is here; the channel is switched on if
it has what it needs then. The channels that are on here stay on: several may warn at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from store.addresses import AllowList, check_web_address
from store.errors import InvalidInput
from store.sections import Channel, NotificationSettings, settings_of_channel
from store.setting_fields import Setting, SettingType
from store.text import sanitize
from store.values.account_import import Fate, ImportLine

_CONFIRM: Final = "It is used once it is confirmed."


@dataclass(frozen=True, slots=True)
class ChannelImport:
    """The settings after the import, and what became of each part of the channel."""

    section: NotificationSettings
    lines: tuple[ImportLine, ...]


def import_channel(
    section: NotificationSettings,
    channel: Channel,
    fields: Mapping[str, str | int],
    secrets: Mapping[str, str],
    allow: AllowList,
) -> ChannelImport:
    """Merge `fields` of a channel, and switch it on. `secrets` are those that are stored for it here."""
    switch, *settings = settings_of_channel(channel)
    lines: list[ImportLine] = []
    for setting in settings:
        value = fields.get(setting.name)
        if value is None or value == "":
            continue
        line, section = _field(setting, value, section, secrets, allow)
        lines.append(line)
    missing = next((problem for setting in settings for problem in _missing(setting, section)), None)
    if missing is not None:
        lines.insert(0, ImportLine(f"warnings by {switch.group or channel}", Fate.LEFT, f"{missing}"))
        return ChannelImport(section, tuple(lines))
    was_on = section.is_on(channel)
    on: dict[str, Any] = {switch.name: True}
    section = replace(section, **on)
    others = [each.value for each in section.channels if each is not channel]
    note = f"On here too: {', '.join(others)}." if others else ""
    lines.insert(0, ImportLine(f"warnings by {switch.group or channel}", Fate.SAME if was_on else Fate.CARRIED, note))
    return ChannelImport(section, tuple(lines))


def _field(
    setting: Setting, value: str | int, section: NotificationSettings, secrets: Mapping[str, str], allow: AllowList
) -> tuple[ImportLine, NotificationSettings]:
    before = getattr(section, setting.name)
    after = before.replaced(value) if setting.is_secret else value
    try:
        for problem in setting.problems(after, is_on=False):
            raise problem
        after = setting.kept(after)
        if setting.type is SettingType.ADDRESS:
            check_web_address(f"{value}".strip(), allow, setting.name)
    except InvalidInput as error:
        return ImportLine(setting.title, Fate.LEFT, f"{error}"), section
    if setting.is_secret:
        is_same, shown = secrets.get(setting.name) == after.new, setting.hint(f"{value}")
    else:
        is_same, shown = before == after, f"{after}"
    detail = sanitize(shown, 200)
    if setting.name == "email_address" and not is_same:
        detail = f"{detail}. {_CONFIRM}"
    if is_same:
        return ImportLine(setting.title, Fate.SAME, detail), section
    return ImportLine(setting.title, Fate.CARRIED, detail), replace(section, **{setting.name: after})


def _missing(setting: Setting, section: NotificationSettings) -> tuple[InvalidInput, ...]:
    """The problems that `setting` would have if its channel were on."""
    return tuple(setting.problems(getattr(section, setting.name), is_on=True))
