"""Validation of typed input. Each function returns the value to store, or raises an error with its field."""

import difflib
import ipaddress
import re
import unicodedata
from collections.abc import Iterable
from typing import Final
from urllib.parse import SplitResult, urlsplit

from store.errors import (
    GatekeyError,
    InvalidEmail,
    InvalidLabel,
    InvalidModel,
    InvalidName,
    InvalidNumber,
    InvalidSetting,
    InvalidUrl,
)
from store.host_names import ascii_host, readable_host
from store.text import is_sanitized, normalize, sanitize

MAX_NAME_LENGTH: Final = 64
MAX_LABEL_LENGTH: Final = 64
MAX_MODEL_LENGTH: Final = 200
MAX_URL_LENGTH: Final = 2000
MAX_EMAIL_LENGTH: Final = 254
"""Characters (RFC 5321, 4.5.3.1.3)."""
_NAME_MARKS: Final = "._-@+"
# RFC 5321 allows more, but mail providers do not, and these characters cannot add a second recipient.
_EMAIL: Final = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*)"
)
_SWITCH_WORDS: Final = {"true": True, "on": True, "yes": True, "false": False, "off": False, "no": False}
_NUMBER: Final = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
_HOST_LABEL: Final = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")


def check_name(text: str, *, field: str = "username") -> str:
    """An account name: 1 to 64 letters, digits and `._-@+`, in normal form C. Raises `InvalidName`."""
    name = normalize(text)
    ok = 1 <= len(name) <= MAX_NAME_LENGTH and is_sanitized(name)
    if not ok or not all(c in _NAME_MARKS or unicodedata.category(c)[0] in "LN" or _is_mark(c) for c in name):
        raise InvalidName(field=field)
    return name


def check_email(text: str, *, field: str = "email_address") -> str:
    """One e-mail address, at most 254 characters (RFC 5321, 4.5.3.1.3). Raises `InvalidEmail`.

    A final dot, as in `alice@example.com.`, is removed: a mail domain has none (RFC 5321, 4.1.2). An internationalized
    domain, as in `alice@bücher.example`, is kept in Unicode; the limits apply to its punycode form.
    """
    address = text.strip(" ").removesuffix(".")
    local_part, _, domain = address.rpartition("@")
    if domain and not local_part.isascii():
        raise InvalidEmail("Before the @ stand Latin letters without accents, digits and marks.", field=field)
    sent_to = f"{local_part}@{_ascii_or(domain, InvalidEmail(field=field))}"
    match = _EMAIL.fullmatch(sent_to)
    if match is None or len(sent_to) > MAX_EMAIL_LENGTH or len(local_part) > 64 or not is_host(match[1]):
        raise InvalidEmail(field=field)
    return address if domain.isascii() else f"{local_part}@{readable_host(match[1])}"


def check_label(text: str, *, field: str = "label") -> str:
    """The label of a key or passkey: 1 to 64 visible characters, trimmed. Raises `InvalidLabel`."""
    label = normalize(text).strip()
    if not 1 <= len(label) <= MAX_LABEL_LENGTH or not is_sanitized(label):
        raise InvalidLabel(field=field)
    return label


def check_model(text: str, *, field: str = "model") -> str:
    """The name of a model, unchanged: case and look-alikes are significant. Raises `InvalidModel`."""
    if not 1 <= len(text) <= MAX_MODEL_LENGTH or not is_sanitized(text) or text != text.strip():
        raise InvalidModel(field=field)
    return text


def check_whole(text: str, lowest: int, highest: int, *, field: str) -> int:
    """A whole number from `lowest` to `highest`, in ASCII digits. Raises `InvalidNumber`."""
    bare = text.strip(" ")
    if not re.fullmatch(r"[0-9]{1,9}", bare) or not lowest <= int(bare) <= highest:
        raise InvalidNumber(f"Enter a whole number from {lowest} to {highest}.", field=field)
    return int(bare)


def check_decimal(text: str, lowest: float, highest: float, *, field: str) -> float:
    """A number from `lowest` to `highest`, such as `0.7`, in ASCII digits. Raises `InvalidNumber`."""
    bare = text.strip(" ")
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", bare) or not lowest <= float(bare) <= highest:
        raise InvalidNumber(f"Enter a number from {lowest:g} to {highest:g}, such as 0.7.", field=field)
    return float(bare)


def check_switch(text: str, *, field: str) -> bool:
    """The boolean in `text`: true, on, yes, false, off or no. Raises `InvalidSetting`."""
    word = text.strip(" ").lower()
    if word not in _SWITCH_WORDS:
        raise InvalidSetting(f"{field} takes true or false.", field=field)
    return _SWITCH_WORDS[word]


def check_url(text: str, *, field: str) -> str:
    """A web address without user, password or fragment. Raises `InvalidUrl`.

    An internationalized host is returned in punycode. The IP address is checked at each connection, not here, because a
    name can change its addresses.
    """
    url = text.strip(" ")
    parts = _split(url, field)
    if parts.hostname and not parts.hostname.isascii() and parts.username is None and parts.password is None:
        host = _ascii_or(parts.hostname, InvalidUrl(field=field))
        url = url.replace(parts.netloc, host if parts.port is None else f"{host}:{parts.port}", 1)
        parts = _split(url, field)
    if len(url) > MAX_URL_LENGTH or not re.fullmatch(r"[\x21-\x7e]+", url):
        raise InvalidUrl(field=field)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidUrl(field=field)
    if not is_host(parts.hostname):
        name = sanitize(parts.hostname, 80)
        raise InvalidUrl(f"{name} is no host name and no IP address that can be reached.", field=field)
    if parts.username is not None or parts.password is not None:
        raise InvalidUrl("Leave the user name and password out of the address.", field=field)
    if "#" in url or "\\" in url:
        raise InvalidUrl("Leave # and \\ out of the address.", field=field)
    return url


def check_origin(text: str) -> str:
    """A web origin: scheme, host and port only (RFC 6454). Raises `InvalidUrl`."""
    url = check_url(text.rstrip("/"), field="value").lower()
    parts = urlsplit(url)
    if url != f"{parts.scheme}://{parts.netloc}":
        raise InvalidUrl("An origin has no path.", field="value")
    return url


def check_host(text: str) -> str:
    """A host name or IP address in lower case, internationalized names in punycode. Raises `ValueError`."""
    host = ascii_host(text).lower()
    if not is_host(host):
        raise ValueError(text)
    return host


def check_host_port(text: str) -> str:
    """`host:port`, with an IPv6 address in brackets, names in punycode. Raises `ValueError`."""
    name, colon, number = text.rpartition(":")
    text = f"{ascii_host(name)}{colon}{number}"
    parts = urlsplit(f"//{text}")
    host, port = parts.hostname or "", parts.port
    bracketed = f"[{host}]" if ":" in host else host
    if not port or not is_host(host) or text.lower() != f"{bracketed}:{port}":
        raise ValueError(text)
    return text.lower()


def is_host(text: str) -> bool:
    """True if `text` is a host name (RFC 1123, 2.1) or an IP address without a zone.

    Names can have underscores, as in container networks. A name whose last label is a number is refused, because
    resolvers read 127.1 and 2130706433 as IP addresses.
    """
    try:
        ipaddress.ip_address(text)
    except ValueError:
        labels = text.removesuffix(".").split(".")
        is_name = len(text) <= 253 and all(_HOST_LABEL.fullmatch(label) for label in labels)
        return is_name and _NUMBER.fullmatch(labels[-1]) is None
    return "%" not in text


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The sentence for an unknown name, with the most similar known name."""
    close = difflib.get_close_matches(name, list(known), n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    return f"There is no setting called {sanitize(name, 60)}.{hint}"


def _ascii_or(host: str, refusal: GatekeyError) -> str:
    try:
        return ascii_host(host)
    except ValueError as error:
        raise refusal from error


def _is_mark(character: str) -> bool:
    return unicodedata.category(character) in ("Mn", "Mc")


def _split(url: str, field: str) -> SplitResult:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise InvalidUrl(field=field) from error
    _check_port(parts, field)
    return parts


def _check_port(parts: SplitResult, field: str) -> None:
    try:
        port = parts.port
    except ValueError as error:
        raise InvalidUrl("A port is a number from 1 to 65535.", field=field) from error
    if port == 0:
        raise InvalidUrl("A port is a number from 1 to 65535.", field=field)
