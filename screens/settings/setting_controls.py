"""The control of one setting: its widget, its id, and the conversion between value and widget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from textual.widgets import Input, Static

from store.inputs import check_whole
from store.money import parse_usd, type_usd
from store.sections import NAMES
from store.setting_fields import Setting, SettingType, settings_of
from store.text import sanitize
from tui.widgets.field import Field
from tui.widgets.secret_input import SecretInput
from tui.widgets.text_input import TextInput
from tui.widgets.toggle import Toggle

if TYPE_CHECKING:
    from textual.dom import DOMNode
    from textual.widget import Widget

_OTHER_IDS: Final = {"threshold_micro_usd": "quota-warning-threshold"}
_LONGEST_AMOUNT: Final = 16
"""Characters of an amount of dollars."""


def control_id(setting: Setting) -> str:
    """The id of the widget that holds the value."""
    if setting.is_channel_switch:
        return f"channel-{setting.channel}"
    return _OTHER_IDS.get(setting.name, setting.name.replace("_", "-"))


CONTROL_IDS: Final = {setting.name: control_id(setting) for kind in NAMES for setting in settings_of(kind)}
"""The ids by the names that errors of the store carry."""


def make_field(setting: Setting, *beside: Widget, classes: str | None = None) -> Field:
    """The row of a form for `setting`, with `beside` to the right of the control."""
    name = control_id(setting)
    control: Widget
    if setting.is_secret:
        control = SecretInput(id=name)
    elif setting.type is SettingType.SWITCH:
        control = Toggle(id=name)
    elif setting.type is SettingType.MONEY:
        control, classes = TextInput(id=name, max_length=_LONGEST_AMOUNT), "short-control"
        beside = (Static("USD", classes="muted"), *beside)
    elif setting.type is SettingType.WHOLE_NUMBER:
        control, classes = TextInput(id=name, max_length=len(str(setting.highest))), "short-control"
        beside = (Static(f"{setting.lowest} to {setting.highest}", classes="muted"), *beside)
    else:
        control = TextInput(id=name)
    indent = "  " if setting.channel and not setting.is_channel_switch else ""
    return Field(indent + (setting.label or setting.title), control, *beside, help=setting.help, classes=classes)


def read_value(form: DOMNode, setting: Setting, known: Any) -> Any:
    """The value that the control shows; `known` is the value it was filled with. Raises `InvalidInput`."""
    name = control_id(setting)
    if setting.type is SettingType.SWITCH:
        return form.query_one(f"#{name}", Toggle).value
    typed = form.query_one(f"#{name}", Input).value
    if setting.is_secret:
        # An empty field keeps the stored secret; a single space clears it.
        return known.replaced(typed.strip()) if typed else known
    if setting.type is SettingType.MONEY:
        return parse_usd(typed, field=setting.name)
    if setting.type is SettingType.WHOLE_NUMBER:
        return check_whole(typed, setting.lowest, setting.highest, field=setting.name)
    return typed.strip()


def show_value(form: DOMNode, setting: Setting, value: Any) -> None:
    """Put a value into its control; of a secret, only whether one is stored."""
    name = control_id(setting)
    if setting.type is SettingType.SWITCH:
        form.query_one(f"#{name}", Toggle).value = value
        return
    control = form.query_one(f"#{name}", Input)
    if setting.is_secret:
        control.clear()
        control.placeholder = f"stored ({sanitize(value.hint)}); type to replace" if value.is_set else "none"
    else:
        control.value = type_usd(value) if setting.type is SettingType.MONEY else str(value)
