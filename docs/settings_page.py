"""Writes `docs/settings.md`, the page of all settings, from their declarations: `python docs/settings_page.py`."""

from pathlib import Path
from typing import Final

from store.money import type_usd
from store.sections import NAMES
from store.setting_fields import Setting, SettingType
from tui.commands.settings_fields import FIELDS

PAGE: Final = Path(__file__).with_name("settings.md")
HEAD: Final = """\
# Settings

This page is generated from the declarations in `store/sections.py` and `store/other_sections.py`. Do not edit it; run
`python docs/settings_page.py`.

A setting is named `SECTION.FIELD` in `gatekey settings --user NAME set SECTION.FIELD VALUE`. The HTTP API has the
sections at `/api/account/settings/SECTION`; of a secret it shows only whether one is stored.
"""


def page() -> str:
    """The whole page, in Markdown."""
    return HEAD + "".join(_section(name) for name in NAMES.values())


def _section(name: str) -> str:
    rows = [
        (
            f"`{field.full_name}`",
            field.setting.title,
            _api_name(field.setting),
            _type(field.setting),
            _default(field.setting),
            field.setting.help,
        )
        for field in FIELDS.values()
        if field.section == name
    ]
    head = ("Setting", "On screen", "In the HTTP API", "Type", "Default", "Help")
    lines = [head, ("---",) * len(head), *rows]
    return f"\n## {name.capitalize()}\n\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _api_name(setting: Setting) -> str:
    return "state only" if setting.is_secret else f"`{setting.api_name or setting.name}`"


def _type(setting: Setting) -> str:
    bounds = f", {setting.lowest} to {setting.highest}" if setting.type is SettingType.WHOLE_NUMBER else ""
    return f"{setting.type}{bounds}{', secret' if setting.is_secret else ''}"


def _default(setting: Setting) -> str:
    match setting.type:
        case _ if setting.is_secret:
            return "not set"
        case SettingType.SWITCH:
            return "on" if setting.default else "off"
        case SettingType.MONEY:
            return type_usd(setting.default)
        case SettingType.MODULES:
            return ", ".join(sorted(setting.default)) or "none"
        case _:
            return str(setting.default) or "empty"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
