"""`gatekey --server URL settings`: the same words, for an account on a New API server."""

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from store.text import sanitize
from tui.commands import streams, values
from tui.commands.on_server import on_server
from tui.store_location import Options

if TYPE_CHECKING:
    from tui.remote_account import RemoteAccount

_LACKING: Final = frozenset({"notifications.bark_encryption_key"})
"""Settings that no New API server has."""


def run_show(arguments: argparse.Namespace, options: Options) -> int:
    from tui.commands.settings_fields import FIELDS

    fields = {name: field for name, field in FIELDS.items() if name not in _LACKING}
    kinds = {field.section: field.kind for field in fields.values()}

    async def read(account: "RemoteAccount") -> tuple[str, dict[str, Any]]:
        return account.name, {section: (await account.load(kind)).section for section, kind in kinds.items()}

    name, sections = on_server(options, read)
    shown = {full_name: field.show(sections[field.section]) for full_name, field in fields.items()}
    if arguments.json:
        document: dict[str, object] = {"user": name}
        for section in kinds:
            document[section] = {
                field.name: shown[full_name] for full_name, field in fields.items() if field.section == section
            }
        streams.print_json(document)
        return 0
    for full_name, value in shown.items():
        streams.print_data(f"{full_name} = {values.in_words(value)}".rstrip())
    return 0


def run_set(arguments: argparse.Namespace, options: Options) -> int:
    from store.errors import NotOnThisServer
    from tui.commands.settings_fields import find

    field = find(arguments.field)
    if field.full_name in _LACKING:
        raise NotOnThisServer
    value = field.read(values.read(arguments, field.full_name, is_secret=field.setting.is_secret))

    async def save(account: "RemoteAccount") -> tuple[str, Any]:
        saved = await account.load(field.kind)
        new = getattr(saved.section, field.setting.name).replaced(value) if field.setting.is_secret else value
        section = replace(saved.section, **{field.setting.name: new})
        if field.setting.is_channel_switch and new:
            # The server warns on one channel: the one that is switched on takes the place of the other.
            others = {f"{channel}_on": False for channel in saved.section.channels if channel != field.setting.channel}
            section = replace(section, **others)
        stored = await account.save(section, saved.version)
        return account.name, stored.section

    name, section = on_server(options, save)
    shown = field.show(section)
    streams.print_status(f"Saved for {sanitize(name)}: {field.full_name} = {values.in_words(shown)}".rstrip())
    return 0
