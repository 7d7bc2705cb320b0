"""The documents of the settings sections over HTTP, generated from the declarations in `store.sections`."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, create_model
from pydantic.json_schema import SkipJsonSchema

from gateway.account_schemas import Document, Module, Usd, integer_from_float
from store.inputs import MAX_EMAIL_LENGTH, MAX_URL_LENGTH
from store.modules import MODULES
from store.money import parse_usd, type_usd
from store.sections import NAMES, NotificationSettings, PriceSettings, Section
from store.setting_fields import Setting, SettingType, secrets_of, settings_of

_MAX_TEXT_LENGTH: Final = 200
_MAX_SENT_MODULES: Final = 100
_DESCRIPTIONS: Final[Mapping[type[Section], str]] = {
    NotificationSettings: "When and where warnings go. Secrets are not here: they are set in the console, where one "
    "proves who one is.",
}
_PROVED: Final = (NotificationSettings, PriceSettings)
"""The sections with changes that need a fresh proof of identity (`store.safeguards`)."""


def _exactly_one(schema: dict[str, Any]) -> None:
    """Say in the schema of an object that it has one of its properties, and that none is there by default."""
    schema |= {"minProperties": 1, "maxProperties": 1}
    for property_schema in schema["properties"].values():
        del property_schema["default"]


class ProofBody(Document):
    """Proof of identity for what a token alone may not change: the password, or a code of the authenticator app."""

    model_config = ConfigDict(json_schema_extra=_exactly_one)

    password: Annotated[Annotated[str, Field(max_length=1024)] | SkipJsonSchema[None], Field(repr=False)] = None
    code: Annotated[Annotated[str, Field(pattern="^[0-9]{6}$")] | SkipJsonSchema[None], Field(repr=False)] = None


class SecretState(Document):
    """The state of a stored secret."""

    is_set: bool
    hint: str


@dataclass(frozen=True, slots=True)
class SectionSchemas:
    """The pydantic models of one section. Secrets are shown by their state and cannot be sent."""

    settings: type[BaseModel]
    change: type[BaseModel]
    """The body of a save: the settings, and a proof where the section has changes that need one."""
    document: type[BaseModel]
    """The answer: version, settings, the settings that the site overrides, and the states of the secrets if there are
    any."""


def to_document(section: Section, version: int, overridden: Collection[str]) -> dict[str, Any]:
    """A section as the API shows it; `overridden` names the settings that the site overrides."""
    document: dict[str, Any] = {
        "version": version,
        "settings": {_api_name(setting): _shown(setting, section) for setting in _plain(type(section))},
        "overridden": [_api_name(setting) for setting in _plain(type(section)) if setting.name in overridden],
    }
    if secrets := {setting.name: getattr(section, setting.name) for setting in secrets_of(type(section))}:
        document["secrets"] = {name: {"is_set": s.is_set, "hint": s.hint} for name, s in secrets.items()}
    return document


def with_change(section: Section, change: BaseModel) -> Section:
    """`section` with the settings that were sent. Raises `InvalidMoney`."""
    values = {setting.name: _sent(setting, change) for setting in _plain(type(section))}
    return replace(section, **values)


def _plain(kind: type[Section]) -> tuple[Setting, ...]:
    return tuple(setting for setting in settings_of(kind) if not setting.is_secret)


def _api_name(setting: Setting) -> str:
    return setting.api_name or setting.name


def _shown(setting: Setting, section: Section) -> Any:
    value = getattr(section, setting.name)
    if setting.type is SettingType.MONEY:
        return type_usd(value)
    return [module for module in MODULES if module in value] if setting.type is SettingType.MODULES else value


def _sent(setting: Setting, change: BaseModel) -> Any:
    name = _api_name(setting)
    value = getattr(change, name)
    if setting.type is SettingType.MONEY:
        return parse_usd(value, places=6, field=name)
    return frozenset(value) if setting.type is SettingType.MODULES else value


def _annotation(setting: Setting) -> Any:
    match setting.type:
        case SettingType.SWITCH:
            return bool
        case SettingType.MONEY:
            return Usd
        case SettingType.EMAIL:
            return Annotated[str, Field(max_length=MAX_EMAIL_LENGTH)]
        case SettingType.ADDRESS:
            return Annotated[str, Field(max_length=MAX_URL_LENGTH)]
        case SettingType.TEXT:
            return Annotated[str, Field(max_length=_MAX_TEXT_LENGTH)]
        case SettingType.WHOLE_NUMBER:
            return Annotated[int, Field(ge=setting.lowest, le=setting.highest), BeforeValidator(integer_from_float)]
        case SettingType.MODULES:
            return Annotated[list[Module], Field(max_length=_MAX_SENT_MODULES)]


def _schemas(kind: type[Section], name: str) -> SectionSchemas:
    title = name.capitalize()
    fields: dict[str, Any] = {_api_name(setting): _annotation(setting) for setting in _plain(kind)}
    settings = create_model(f"{title}Body", __base__=Document, __doc__=_DESCRIPTIONS.get(kind), **fields)
    change: type[BaseModel] = settings
    if kind in _PROVED:
        change = create_model(f"{title}Change", __base__=settings, proof=(ProofBody | None, None))
    parts: dict[str, Any] = {"version": int, "settings": settings, "overridden": list[str]}
    if secrets := {setting.name: SecretState for setting in secrets_of(kind)}:
        named: dict[str, Any] = dict(secrets)
        parts["secrets"] = create_model(f"{kind.__name__.removesuffix('Settings')}Secrets", __base__=Document, **named)
    return SectionSchemas(settings, change, create_model(f"{title}Document", __base__=Document, **parts))


SCHEMAS: Final[Mapping[type[Section], SectionSchemas]] = {kind: _schemas(kind, name) for kind, name in NAMES.items()}
