"""The control of one setting: its widget, its id, and the conversion between value and widget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input, Static

from store.inputs import check_whole
from store.money import parse_usd, show_usd, type_usd
from store.sections import NAMES
from store.setting_fields import Setting, SettingType, settings_of
from store.text import sanitize
from tui.widgets.field import Field
from tui.widgets.stored_secret import StoredSecretInput
from tui.widgets.text_input import TextInput
from tui.widgets.toggle import UNKNOWN, Toggle

if TYPE_CHECKING:
    from textual.dom import DOMNode
    from textual.widget import Widget

_OTHER_IDS: Final = {"threshold_micro_usd": "quota-warning-threshold"}
_LONGEST_AMOUNT: Final = 16
"""Characters of an amount of dollars."""
_LONGEST_DESCRIBED: Final = 40
"""Characters of a value in the sentence after a save."""


class ChannelSwitch(Toggle):
    """The switch of a channel. Enter goes to the fields of the channel; space turns it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "enter", "Open", id="channel.enter", show=False, tooltip="Go to the fields of this channel"),
    ]

    class Entered(Message):
        """The person wants to see the fields of the channel."""

        def __init__(self, switch: ChannelSwitch) -> None:
            super().__init__()
            self.switch = switch

    def action_enter(self) -> None:
        self.post_message(self.Entered(self))


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
        control = StoredSecretInput(id=name)
    elif setting.type is SettingType.SWITCH:
        control = ChannelSwitch(id=name, is_known=False) if setting.channel else Toggle(id=name, is_known=False)
    elif setting.type is SettingType.MONEY:
        control = TextInput(id=name, max_length=_LONGEST_AMOUNT, placeholder=UNKNOWN)
        beside, classes = (Static("USD", classes="muted", markup=False), *beside), "short-control"
    elif setting.type is SettingType.WHOLE_NUMBER:
        control = TextInput(id=name, max_length=len(str(setting.highest)), placeholder=UNKNOWN)
        beside = (Static(f"{setting.lowest} to {setting.highest}", classes="muted", markup=False), *beside)
        classes = "short-control"
    else:
        control = TextInput(id=name, placeholder=UNKNOWN)
    return Field(
        setting.label or setting.title,
        control,
        *beside,
        title=setting.title,
        help=setting.help,
        about=setting.about,
        consequence=setting.consequence,
        classes=classes,
    )


def read_value(form: DOMNode, setting: Setting, known: Any) -> Any:
    """The value that the control shows; `known` is the value it was filled with. Raises `InvalidInput`."""
    name = control_id(setting)
    if setting.type is SettingType.SWITCH:
        return form.query_one(f"#{name}", Toggle).value
    typed = form.query_one(f"#{name}", Input).value
    if setting.is_secret:
        change = form.query_one(f"#{name}", StoredSecretInput).change
        return known if change is None else known.replaced(change)
    if setting.type is SettingType.MONEY:
        # A server may hold fractions of a cent, which nobody could type.
        return known if typed == type_usd(known) else parse_usd(typed, field=setting.name)
    if setting.type is SettingType.WHOLE_NUMBER:
        return check_whole(typed, setting.lowest, setting.highest, field=setting.name)
    return typed.strip()


def show_value(form: DOMNode, setting: Setting, value: Any) -> None:
    """Put a value into its control; of a secret, only whether one is stored."""
    name = control_id(setting)
    if setting.type is SettingType.SWITCH:
        toggle = form.query_one(f"#{name}", Toggle)
        toggle.value = value
        toggle.is_known = True
        return
    if setting.is_secret:
        form.query_one(f"#{name}", StoredSecretInput).show_stored(value.hint if value.is_set else None)
        return
    control = form.query_one(f"#{name}", Input)
    if control.placeholder == UNKNOWN:
        control.placeholder = ""
    control.value = type_usd(value) if setting.type is SettingType.MONEY else str(value)


def describe(setting: Setting, value: Any) -> str:
    """A setting and its value after a save, in a few words: `Send by Bark: on`. Of a secret, what became of it."""
    if setting.is_secret:
        return f"{setting.title}: {'replaced' if value.new else 'cleared'}"
    match setting.type:
        case SettingType.SWITCH:
            words = "on" if value else "off"
        case SettingType.MONEY:
            words = show_usd(value, exact=True)
        case SettingType.MODULES:
            words = str(len(value)) if value else "none"
        case _:
            words = sanitize(value, _LONGEST_DESCRIBED) or "empty"
    return f"{setting.title}: {words}"
