"""Sends a call with `stream_options`, and without for model servers that refuse them."""

import logging
from collections.abc import Sequence
from typing import Final

import httpx

from gateway.model_server.client import MAX_ERROR_BYTES, ModelServerClient, read_body
from gateway.problems import OpenAiProblem
from gateway.relay.api_form import ApiForm
from gateway.relay.request import STREAM_OPTIONS, Call, with_usage_alone, without_usage
from gateway.site_view import SiteView
from store.errors import UpstreamFailed

LOGGER: Final = logging.getLogger("gatekey.relay")
_UNKNOWN_FIELD_STATUSES: Final = frozenset({400, 422, 500, 501})
"""Statuses of servers that do not know a field."""
_OPTION_NAMES: Final = tuple(name.encode() for name in ("stream_options", *STREAM_OPTIONS))


async def send_call(
    model_server: ModelServerClient,
    site: SiteView,
    call: Call,
    *,
    request_id: str,
    more: Sequence[tuple[str, str]] = (),
) -> httpx.Response:
    """The response to `call`, whatever its status; its body is unread. The caller closes it.

    If the server refuses the stream options, the call is sent again with `include_usage` alone, and then without
    options. A server that needs the last is remembered, and its usage is counted here. `more` are headers of a call
    without such options. Raises what `ModelServerClient.send` raises.
    """
    path, content = call.endpoint.path, call.content
    if not call.streams or call.endpoint.form is not ApiForm.CHAT:
        return await model_server.send(site, "POST", path, content, request_id=request_id, more=more)
    if site.upstream_url in model_server.without_usage:
        return await model_server.send(site, "POST", path, without_usage(content), request_id=request_id)
    # The server may refuse another option that the client sent, and still report the usage.
    for variant in dict.fromkeys((content, with_usage_alone(content))):
        answer = await model_server.send(site, "POST", path, variant, request_id=request_id)
        if answer.status_code not in _UNKNOWN_FIELD_STATUSES:
            return answer
        refusal = await _with_body(answer)
        if not any(name in refusal.content for name in _OPTION_NAMES):
            return refusal
    answer = await model_server.send(site, "POST", path, without_usage(content), request_id=request_id)
    # Only on success: the refusal may have quoted the name from the client's own text.
    if answer.is_success:
        model_server.without_usage.add(site.upstream_url)
        LOGGER.warning("The model server refuses stream_options: the usage of its streams is counted here")
    return answer


async def _with_body(answer: httpx.Response) -> httpx.Response:
    """The same response with its body in memory; an unreadable body is left empty."""
    content = b""
    try:
        content = bytes(await read_body(answer, MAX_ERROR_BYTES))
    except (UpstreamFailed, OpenAiProblem):
        pass
    finally:
        await answer.aclose()
    headers = [(name, value) for name, value in answer.headers.multi_items() if name != "content-encoding"]
    return httpx.Response(answer.status_code, headers=headers, content=content)
