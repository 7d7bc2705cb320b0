"""The Price, Privacy and Sidebar sections: one setting each."""

from dataclasses import dataclass

from store import inputs
from store.errors import InvalidSetting
from store.modules import MODULES
from store.setting_fields import Setting, SettingsSection, SettingType, declare


def _check_modules(names: frozenset[str], _field: str) -> None:
    unknown = sorted(names - set(MODULES))
    if unknown:
        raise InvalidSetting(inputs.did_you_mean(unknown[0], MODULES).replace("setting", "module"))


@dataclass(frozen=True, slots=True)
class PriceSettings(SettingsSection):
    """True if calls to models without a price are let through."""

    accept_unpriced_models: bool = declare(
        False,
        Setting(
            type=SettingType.SWITCH,
            title="Accept Models Without Price Settings",
            help="Off blocks calls to models that have no price.",
            about="When disabled (recommended default), API calls to models without defined pricing rules are "
            "blocked.\n\n"
            "When enabled, calls to models without configured pricing are allowed. This may result in unpredictable "
            "costs if the model has dynamic or external pricing.",
            consequence="This setting should only be enabled when you fully understand the billing implications. "
            "Enabling it asks for your password.",
            summary="let calls to models without a price through: true or false",
        ),
    )


@dataclass(frozen=True, slots=True)
class PrivacySettings(SettingsSection):
    """True if consumption and error logs hold the client's IP address."""

    record_client_ip: bool = declare(
        False,
        Setting(
            type=SettingType.SWITCH,
            title="Record Request and Error Log IP",
            help="On stores the client's address with each request and error.",
            about="When enabled, consumption logs and error logs record the client IP. This assists with security "
            "auditing, debugging and investigating suspicious activity.\n\n"
            "When disabled, IP addresses are not stored in those logs.",
            consequence="This setting balances observability with privacy considerations. Addresses that were recorded "
            "before stay until you erase them.",
            summary="keep client addresses in logs: true or false",
        ),
    )


@dataclass(frozen=True, slots=True)
class SidebarSettings(SettingsSection):
    """The modules left out of the sidebar. Visibility only."""

    hidden_modules: frozenset[str] = declare(
        frozenset(),
        Setting(
            type=SettingType.MODULES,
            title="Hidden modules",
            help="Switches the visibility of each module, nothing else.",
            about="Customization of the visible modules. You can enable or disable entire sections.",
            consequence="These toggles control UI visibility only and do not disable underlying functionality or "
            "permissions. Changes apply after Save Settings.",
            summary="modules left out of the sidebar, with commas between",
            checks=(_check_modules,),
        ),
    )
