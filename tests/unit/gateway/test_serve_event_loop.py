"""uvloop and httptools where they are installed, and a gateway that serves as well without them."""

import asyncio
import importlib.util
import socket
import sys
import threading
from typing import Any

import httpx
import pytest

from gateway import serve
from gateway.app import create_app
from gateway.listener import listen
from gateway.model_server.client import ModelServerClient
from gateway.strict_http import StrictConnection
from store.store import Store
from tests.fakes.model_server import ModelServer
from tests.harness.gateway_client import make_relayed
from tests.harness.live_servers import PATIENCE, live
from tests.harness.stores import sign_in

STREAMED = {"model": "gpt-priced", "messages": [{"role": "user", "content": "Hello"}], "stream": True}


@pytest.mark.skipif(importlib.util.find_spec("uvloop") is None, reason="there is no build for this interpreter")
def test_uvloop_is_chosen_where_it_is() -> None:
    assert serve.event_loop() == "uvloop"


def test_asyncio_is_chosen_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert serve.event_loop() == "asyncio"
    assert serve.server_config(None).loop == "asyncio"


@pytest.mark.skipif(importlib.util.find_spec("httptools") is None, reason="there is no build for this interpreter")
def test_httptools_is_chosen_where_it_is() -> None:
    assert serve.http_framing().__name__ == "LightConnection"


def test_h11_is_chosen_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httptools", None)
    assert serve.http_framing() is StrictConnection


@pytest.mark.parametrize("without", [False, True])
def test_streams_over_real_sockets_are_served_on_either(
    store: Store, monkeypatch: pytest.MonkeyPatch, without: bool
) -> None:
    if without:
        for name in ("uvloop", "httptools"):
            monkeypatch.setitem(sys.modules, name, None)
    key, loops, models = make_relayed(store), set[str](), ModelServer()
    with live(models.app) as upstream, listen("127.0.0.1", 0) as listener:
        store.site.set("upstream.base_url", f"{upstream}/v1")
        app = create_app(store, model_server=ModelServerClient(), dispatches=False)
        server = serve.GatewayServer(serve.server_config(app), "127.0.0.1", serve.make_connection_register(store))
        on_tick = server.on_tick

        async def note_loop(counter: int) -> bool:
            loops.add(type(asyncio.get_running_loop()).__module__.partition(".")[0])
            return await on_tick(counter)

        monkeypatch.setattr(server, "on_tick", note_loop)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            answers = [call(listener, key) for _ in range(3)]
        finally:
            server.should_exit = True
            thread.join(PATIENCE)
    assert [answer.status_code for answer in answers] == [200] * 3
    assert all(answer.text.endswith("data: [DONE]\n\n") for answer in answers)
    assert store.quota.state(sign_in(store)).held_micro_usd == 0
    assert loops == {"asyncio" if without else serve.event_loop()}


def call(listener: socket.socket, key: str) -> Any:
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1/chat/completions"
    return httpx.post(url, json=STREAMED, headers={"Authorization": f"Bearer {key}"}, timeout=PATIENCE)
