"""Delivers a JSON message by POST and interprets the response, for webhook, Bark and Gotify."""

import json
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Final

import httpx

from gateway.outbound import Outbound, OutboundResponse, host_of, parse_web_url
from gateway.retry import parse_retry_after
from store.errors import DeliveryFailed, InvalidUrl

_RETRY_AFTER_STATUSES: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})


def to_json(payload: Mapping[str, object]) -> bytes:
    """`payload` as compact UTF-8 JSON."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


def parse_server_url(url: str) -> httpx.URL:
    """Parse the URL of a channel's server, which has no query.

    Raises:
        DeliveryFailed: permanent, if it is not such a URL.
    """
    try:
        parsed = parse_web_url(url)
    except InvalidUrl as error:
        raise DeliveryFailed(str(error), permanent=True) from error
    if "?" in url:
        raise DeliveryFailed("The address of the server has no question mark in it.", permanent=True)
    return parsed


def redacted_url(url: str) -> str:
    """`url` for a log line, without its path, which may be a secret."""
    try:
        parsed = parse_web_url(url)
    except InvalidUrl:
        return "…"
    return f"{parsed.scheme}://{parsed.netloc.decode('ascii')}/…"


async def post_json(
    outbound: Outbound,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    now: datetime,
    *,
    hints: Mapping[int, str] | None = None,
) -> None:
    """Deliver `body`; only a status of 2xx is success. `hints` explain a status of this channel.

    Raises:
        AddressRefused: if the address is in a private network and is not allowed.
        DeliveryFailed: otherwise; permanent after 410, with `retry_after` if a 429 or 503 asked for it. The
            sentence names the host and the status, never the path and never the response.
    """
    try:
        answer = await outbound.post(url, body, {"Content-Type": "application/json", **headers})
    except InvalidUrl as error:
        raise DeliveryFailed(str(error), permanent=True) from error
    if not 200 <= answer.status <= 299:
        raise _delivery_failure(host_of(parse_web_url(url)), answer, now, (hints or {}).get(answer.status, ""))


def _delivery_failure(host: str, answer: OutboundResponse, now: datetime, hint: str) -> DeliveryFailed:
    said = f"{host} answered {answer.status}{_phrase(answer.status)}. {hint}".rstrip()
    if answer.status == HTTPStatus.GONE:
        return DeliveryFailed(f"{said} It wants no more notifications.", permanent=True)
    if 300 <= answer.status <= 399:
        return DeliveryFailed(f"{said} Redirects are not followed; enter the address it leads to.")
    asked = answer.headers.get("Retry-After", "") if answer.status in _RETRY_AFTER_STATUSES else ""
    return DeliveryFailed(said, retry_after=parse_retry_after(asked, now))


def _phrase(status: int) -> str:
    return f" {HTTPStatus(status).phrase}" if status in set(HTTPStatus) else ""
