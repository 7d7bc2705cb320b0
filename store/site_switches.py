"""The schema of the site's settings: name, default, parser and expected form of each."""

import ipaddress
import re
from collections.abc import Callable
from typing import Final, NamedTuple

from store import inputs
from store.errors import UnknownSetting
from store.modules import MODULES
from store.money import parse_usd, type_usd
from store.request_fields import check_extra_field
from store.text import is_sanitized

MAX_OUTPUT_TOKENS: Final = 10_000_000
"""An upper bound above the output of any model."""
Value = bool | int | str | tuple[str, ...]
PASSWORD_MINIMUM: Final = "password.minimum_without_second_factor"  # noqa: S105 - the name of a switch
"""The minimum password length of accounts without a second factor."""


class Switch(NamedTuple):
    """One setting of the site. `parse` converts typed text to a value, or raises `ValueError` or `GatekeyError`."""

    name: str
    default: Value
    parse: Callable[[str], Value]
    expects: str
    """The expected form of a value, for the error sentence."""
    is_secret: bool = False


def _boolean(text: str) -> bool:
    return inputs.check_switch(text, field="value")


def _whole(lowest: int, highest: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not lowest <= int(text) <= highest:
            raise ValueError(text)
        return int(text)

    return parse


def _line(text: str) -> str:
    if not is_sanitized(text) or len(text) > 1000:
        raise ValueError(text)
    return text.strip()


def _word(text: str) -> str:
    if not re.fullmatch(r"[\x21-\x7e]{1,500}", text):
        raise ValueError(text)
    return text


def _host(text: str) -> str:
    return inputs.check_host(text)


def _host_port(text: str) -> str:
    return inputs.check_host_port(text)


def _one_of(*words: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(text)
        return text

    return parse


def _list_of(parse_one: Callable[[str], str]) -> Callable[[str], tuple[str, ...]]:
    def parse(text: str) -> tuple[str, ...]:
        return tuple(parse_one(part.strip()) for part in text.split(",") if part.strip())

    return parse


def _network(text: str) -> str:
    return str(ipaddress.ip_network(text))


def _base_url(text: str) -> str:
    """A URL to which paths are appended, so it must not have a query."""
    url = inputs.check_url(text, field="value")
    if "?" in url:
        raise ValueError(text)
    return url.rstrip("/")


def _rate(text: str) -> str:
    amounts = [parse_usd(part, places=6) for part in text.split("/")]
    if len(amounts) != 2:
        raise ValueError(text)
    return "/".join(map(type_usd, amounts))


def _origin(text: str) -> str:
    return inputs.check_origin(text)


def _email(text: str) -> str:
    return inputs.check_email(text)


_NUMBER: Final = "a whole number up to 100,000"

_SWITCHES: Final = (
    Switch("account_binding.enabled", False, _boolean, "true or false"),
    Switch("passkeys.enabled", False, _boolean, "true or false"),
    Switch("passkeys.rp_id", "", _host, "a host name, such as gateway.example.com or localhost"),
    Switch("passkeys.origin", "", _origin, "an origin, such as https://gateway.example.com"),
    Switch("public_url", "", _origin, "an origin without a path, such as https://gateway.example.com"),
    Switch("smtp.host", "", _host, "a host name"),
    Switch("smtp.port", 587, _whole(1, 65535), "a port, 1 to 65535"),
    Switch("smtp.security", "starttls", _one_of("starttls", "tls"), "starttls or tls"),
    Switch("smtp.username", "", _line, "text"),
    Switch("smtp.password", "", _line, "text", is_secret=True),
    Switch("smtp.sender", "", _email, "an e-mail address"),
    Switch(
        "upstream.base_url",
        "",
        _base_url,
        "a web address without ? and #, such as https://models.example.com/v1",
    ),
    Switch("upstream.api_key", "", _word, "text without spaces", is_secret=True),
    Switch(
        "upstream.output_limit",
        "max_tokens",
        _one_of("max_tokens", "max_completion_tokens", "ignored"),
        "max_tokens or max_completion_tokens, whichever the model server obeys in a chat, or ignored",
    ),
    Switch(
        "price.max_output_tokens",
        131_072,
        _whole(1, MAX_OUTPUT_TOKENS),
        f"tokens, 1 to {MAX_OUTPUT_TOKENS}: the longest answer of a model whose price does not say",
    ),
    Switch(
        "price.unpriced",
        "account",
        _one_of("account", "forbid"),
        "account, where each account decides, or forbid, for models without a price",
    ),
    Switch(
        "price.unpriced_rate",
        "",
        _rate,
        "dollars per million tokens in, a slash, and dollars per million tokens out, such as 2.50/10.00",
    ),
    Switch(
        "relay.extra_fields",
        (),
        _list_of(check_extra_field),
        "names of request fields, with commas between; none that can change the price or the model",
    ),
    Switch(
        "relay.keep_alive_seconds",
        15,
        _whole(0, 300),
        "seconds of silence in a stream after which a comment keeps it open, 0 to 300; 0 sends none",
    ),
    Switch(
        "sidebar.hidden_modules",
        (),
        _list_of(_one_of(*MODULES)),
        "modules, with commas between: " + ", ".join(MODULES),
    ),
    Switch(
        "channels.private_network_allow",
        (),
        _list_of(inputs.check_host_port),
        "host:port, with commas between",
    ),
    Switch("gateway.trusted_proxies", (), _list_of(_network), "networks such as 10.0.0.0/8, with commas between"),
    Switch("limits.connections", 0, _whole(0, 100_000), f"{_NUMBER}; 0 leaves it to the limit on open files"),
    Switch("limits.connections_per_client", 0, _whole(0, 100_000), f"{_NUMBER}; 0 is a quarter of all"),
    Switch("ssh.sign_in_screen", True, _boolean, "true or false: whether a stranger over SSH sees the sign-in screen"),
    Switch(
        "ssh.address",
        "",
        _host_port,
        "the host and the port by which people reach gatekey ssh, such as gateway.example.com:2222; shown in commands",
    ),
    Switch("ssh.connections", 100, _whole(1, 10_000), "connections of gatekey ssh at once, 1 to 10000"),
    Switch("ssh.connections_per_client", 0, _whole(0, 10_000), "a whole number up to 10,000; 0 is a quarter of all"),
    Switch("limits.requests_per_minute_per_key", 1500, _whole(0, 100_000), f"{_NUMBER}; 0 sets no limit"),
    Switch("limits.requests_per_minute_per_account", 3000, _whole(0, 100_000), f"{_NUMBER}; 0 sets no limit"),
    Switch("limits.body_mib_per_account", 64, _whole(32, 4096), "MiB, 32 to 4096"),
    Switch("limits.body_mib", 256, _whole(32, 65_536), "MiB, 32 to 65536"),
    Switch("limits.file_mib", 100, _whole(1, 512), "MiB, 1 to 512: the largest file that an account may upload"),
    Switch("usage.retention_days", 0, _whole(0, 3650), "days, up to 3650; 0 keeps everything"),
    Switch("two_factor.drift_steps", 1, _whole(0, 1), "0 or 1"),
    Switch(PASSWORD_MINIMUM, 8, _whole(8, 64), "a number of characters, 8 to 64; NIST SP 800-63B-4 asks for 15"),
)
SWITCHES: Final = {switch.name: switch for switch in _SWITCHES}
"""All settings of the site, by name."""


def find(name: str) -> Switch:
    """The setting `name`. Raises `UnknownSetting` with the most similar name."""
    if name in SWITCHES:
        return SWITCHES[name]
    raise UnknownSetting(inputs.did_you_mean(name, SWITCHES))
