"""The facts of a server: its public status, and the generation of New API that it speaks like.

FEB (February 2026) has a cookie for a session and tells refusals without codes. AUG (August 2026) has short tokens and
codes. A newer server counts as AUG as long as it answers like it, and what it does not know is told where it is asked.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Final

from remote.calls import SELF_PATH, Calls
from remote.fields import Fields, fields_of
from store.errors import AnswerUnreadable, NotANewApi, NotOnThisServer, ServerRefused

STATUS_PATH: Final = "/api/status"
_MARKS: Final = ("version", "system_name", "quota_per_unit")
"""Members that every New API server has."""
_MARKS_OF_FEB: Final = ("_qn", "top_up_link")
_MARKS_OF_AUG: Final = ("register_enabled", "password_login_enabled", "password_register_enabled")
_DEFAULT_QUOTA_PER_USD: Final = Decimal(500_000)


class Generation(StrEnum):
    """The generations that are known."""

    FEB = "February 2026"
    AUG = "August 2026"
    UNKNOWN = "unknown"
    """It answers like AUG in part. What it does differently is met where it happens."""


@dataclass(frozen=True, slots=True)
class OAuthProvider:
    """A provider that the administrator switched on. `client_id` is public."""

    slug: str
    name: str
    client_id: str
    authorization_url: str
    scopes: str = ""
    is_custom: bool = False


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """The public status of a server."""

    generation: Generation
    version: str
    system_name: str
    server_address: str
    """The address that the administrator entered, for links; it may be empty or wrong."""
    quota_per_usd: Decimal
    signs_in_by_password: bool
    asks_for_captcha: bool
    registers: bool
    asks_for_email_code: bool
    """True if a new account needs a code that was sent by e-mail."""
    has_passkeys: bool
    providers: tuple[OAuthProvider, ...]
    telegram_bot: str
    """The bot for bindings; empty if Telegram is off."""
    has_wechat: bool
    admin_sidebar: Fields = field(repr=False)
    """The administrator's mask of the sidebar; empty without one."""
    has_drawing_log: bool
    has_task_log: bool
    has_statistics: bool

    @property
    def is_feb(self) -> bool:
        return self.generation is Generation.FEB


class KnownServer:
    """The public status of a server, read once."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._facts: ServerFacts | None = None

    async def facts(self, *, again: bool = False) -> ServerFacts:
        """The public status; read once, or `again`. Raises `NotANewApi`, and the children of `ServerFailed`."""
        if self._facts is None or again:
            self._facts = await read_facts(self._calls)
        return self._facts


async def read_facts(calls: Calls) -> ServerFacts:
    """The public status of the server. Raises `NotANewApi`, and the children of `ServerFailed`."""
    try:
        reply = await calls.open_to_all("GET", STATUS_PATH, changes=False, signs_in=False)
    except (ServerRefused, NotOnThisServer) as error:
        raise NotANewApi from error
    except AnswerUnreadable as error:
        raise NotANewApi(f"{error} {NotANewApi.sentence}") from error
    status = fields_of(reply.data)
    if not all(mark in status for mark in _MARKS):
        raise NotANewApi
    refusal, code = await calls.probe(SELF_PATH)
    return _facts(status, _generation(status, refusal, code))


def _generation(status: Fields, refusal: int, code: str) -> Generation:
    is_marked_feb = any(mark in status for mark in _MARKS_OF_FEB)
    is_marked_aug = any(mark in status for mark in _MARKS_OF_AUG)
    if refusal == 401 and code.startswith("AUTH_"):
        return Generation.UNKNOWN if is_marked_feb and not is_marked_aug else Generation.AUG
    return Generation.FEB if refusal == 401 and not code and not is_marked_aug else Generation.UNKNOWN


def _facts(status: Fields, generation: Generation) -> ServerFacts:
    per_usd = status.number("quota_per_unit")
    return ServerFacts(
        generation=generation,
        version=status.text("version", 80),
        system_name=status.text("system_name", 80),
        server_address=status.text("server_address", 500),
        quota_per_usd=per_usd if per_usd is not None and per_usd > 0 else _DEFAULT_QUOTA_PER_USD,
        signs_in_by_password=status.flag("password_login_enabled", default=True),
        asks_for_captcha=status.flag("turnstile_check"),
        registers=status.flag("register_enabled", default=True)
        and status.flag("password_register_enabled", default=True),
        asks_for_email_code=status.flag("email_verification"),
        has_passkeys=status.flag("passkey_login"),
        providers=tuple(_providers(status)),
        telegram_bot=status.text("telegram_bot_name", 80) if status.flag("telegram_oauth") else "",
        has_wechat=status.flag("wechat_login"),
        admin_sidebar=status.json_object("SidebarModulesAdmin"),
        has_drawing_log=status.flag("enable_drawing", default=True),
        has_task_log=status.flag("enable_task", default=True),
        has_statistics=status.flag("enable_data_export", default=True),
    )


def _providers(status: Fields) -> list[OAuthProvider]:
    known = (
        ("github", "GitHub", "github_oauth", "github_client_id", "https://github.com/login/oauth/authorize"),
        ("discord", "Discord", "discord_oauth", "discord_client_id", "https://discord.com/oauth2/authorize"),
        ("oidc", "OIDC", "oidc_enabled", "oidc_client_id", status.text("oidc_authorization_endpoint", 500)),
        ("linuxdo", "LinuxDO", "linuxdo_oauth", "linuxdo_client_id", "https://connect.linux.do/oauth2/authorize"),
    )
    scopes = {"github": "user:email", "discord": "identify openid", "oidc": "openid profile email", "linuxdo": ""}
    built_in = [
        OAuthProvider(slug, status.text("oidc_display_name", 80) or name if slug == "oidc" else name,
                      status.text(client, 200), url, scopes[slug])
        for slug, name, switch, client, url in known
        if status.flag(switch)
    ]  # fmt: skip
    custom = [
        OAuthProvider(
            one.text("slug", 80),
            one.text("name", 80),
            one.text("client_id", 200),
            one.text("authorization_endpoint", 500),
            one.text("scopes", 200),
            is_custom=True,
        )
        for one in status.items("custom_oauth_providers")
        if one.text("slug")
    ]
    return built_in + custom
