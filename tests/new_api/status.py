"""GET /api/status: what a client has to know before anybody signs in."""

from typing import Any, Final

from tests.new_api.answers import Answer, done
from tests.new_api.call import Call, Rule
from tests.new_api.generations import Generation

VERSIONS: Final = {Generation.FEB: "f4f144bc-feb", Generation.AUG: "823e2630-aug"}

_TEXTS: Final = {
    **dict.fromkeys(("HeaderNavModules", "SidebarModulesAdmin", "discord_client_id", "footer_html"), ""),
    **dict.fromkeys(("github_client_id", "linuxdo_client_id", "logo", "oidc_authorization_endpoint"), ""),
    **dict.fromkeys(("oidc_client_id", "telegram_bot_name", "turnstile_site_key", "wechat_qrcode"), ""),
    "data_export_default_time": "hour",
    "docs_link": "https://docs.newapi.pro",
    "custom_currency_symbol": "¤",
    "quota_display_type": "USD",
    "server_address": "http://localhost:3000",
    "system_name": "New API",
}
_ON: Final = (
    *("announcements_enabled", "api_info_enabled", "display_in_currency", "enable_data_export", "enable_drawing"),
    *("enable_task", "faq_enabled", "uptime_kuma_enabled"),
)
_OFF: Final = (
    *("checkin_enabled", "default_collapse_sidebar", "default_use_auto_group", "demo_site_enabled", "discord_oauth"),
    *("email_verification", "enable_batch_update", "github_oauth", "linuxdo_oauth", "mj_notify_enabled"),
    *("oidc_enabled", "privacy_policy_enabled", "self_use_mode_enabled", "telegram_oauth", "turnstile_check"),
    *("user_agreement_enabled", "wechat_login"),
)
_NUMBERS: Final = {
    "custom_currency_exchange_rate": 1,
    "linuxdo_minimum_trust_level": 0,
    "price": 7.3,
    "quota_per_unit": 500_000,
    "stripe_unit_price": 8,
    "usd_exchange_rate": 7.3,
}
_FEB: Final = {"_qn": "new-api", "top_up_link": ""}
_AUG: Final = {
    "oidc_display_name": "OIDC",
    "password_login_enabled": True,
    "password_register_enabled": True,
    "register_enabled": True,
    "theme": "default",
}


def read(call: Call) -> Answer:
    """The options that are shown; `World.status` has the last word."""
    world = call.world
    data: dict[str, Any] = {**_TEXTS, **dict.fromkeys(_ON, True), **dict.fromkeys(_OFF, False), **_NUMBERS}
    data |= {"announcements": [], "api_info": [], "faq": [], "chats": [{"Example 例": "example://add?key={key}"}]}
    data |= _passkey_facts(world.options)
    data |= _FEB if world.is_feb else _AUG
    data |= {"setup": world.is_set_up, "start_time": world.start_time, "version": VERSIONS[world.generation]}
    if world.providers:
        data["custom_oauth_providers"] = [_provider(one, world.generation) for one in world.providers]
    return done(dict(sorted((data | world.status).items())))


def _passkey_facts(options: dict[str, str]) -> dict[str, Any]:
    return {
        "passkey_login": options.get("passkey.enabled") == "true",
        "passkey_allow_insecure": options.get("passkey.allow_insecure_origin") == "true",
        "passkey_attachment": "",
        "passkey_display_name": "New API",
        "passkey_origins": options.get("passkey.origins", "http://localhost:3000"),
        "passkey_rp_id": options.get("passkey.rp_id", "localhost:3000"),
        "passkey_user_verification": "preferred",
    }


def _provider(provider: dict[str, Any], generation: Generation) -> dict[str, Any]:
    """FEB leaves out the id, so its page never knows what is bound."""
    names = ["name", "slug", "client_id", "authorization_endpoint", "scopes"]
    if generation is Generation.AUG:
        names = ["id", *names[:2], "icon", *names[2:]]
    return {name: provider[name] for name in names}


RULES: Final = (
    Rule("GET", "/api/status", read),
    Rule("GET", "/api/notice", lambda _call: done("")),
)
