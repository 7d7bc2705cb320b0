"""Sections of the settings, as another session of the account on a store reads and saves them."""

from dataclasses import replace
from typing import Any

from store.sections import NotificationSettings
from store.values.sections import SectionT
from tests.harness.consoles import Stage
from tests.harness.stores import sign_in


def stored_section(stage: Stage, kind: type[SectionT]) -> SectionT:
    """A section as another session loads it."""
    return stage.store.settings.load(sign_in(stage.store, source="observer"), kind).section


def save_elsewhere(stage: Stage, **changes: Any) -> None:
    """Change the notification settings in another session."""
    token = sign_in(stage.store, source="other")
    saved = stage.store.settings.load(token, NotificationSettings)
    stage.store.settings.save(token, replace(saved.section, **changes), saved.version)
