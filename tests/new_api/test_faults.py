"""The faults of the stand-in, as a client sees them."""

import httpx
import pytest

from tests.new_api.running import StandIn
from tests.new_api.visitor import Visitor


def test_a_dropped_call_took_no_effect_and_a_dropped_answer_did(standin: StandIn, visitor: Visitor) -> None:
    visitor.sign_in()
    standin.faults.drop("/api/user/token")
    with pytest.raises(httpx.RemoteProtocolError):
        visitor.send("GET", "/api/user/token")
    assert standin.alice.access_token is None
    standin.faults.drop_answer("/api/user/token")
    with pytest.raises(httpx.RemoteProtocolError):
        visitor.send("GET", "/api/user/token")
    assert standin.alice.access_token is not None
    assert visitor.data("GET", "/api/user/self")["id"] == 2


def test_a_server_that_is_down_cuts_every_connection(standin: StandIn, visitor: Visitor) -> None:
    standin.faults.is_down = True
    with pytest.raises(httpx.TransportError):
        visitor.send("GET", "/api/status")
    standin.faults.is_down = False
    assert visitor.data("GET", "/api/status")["setup"] is True


def test_429_is_empty_and_compressed_all_the_same(standin: StandIn, visitor: Visitor) -> None:
    standin.faults.too_many("/api/status")
    refused = visitor.send("GET", "/api/status")
    assert (refused.status_code, refused.content) == (429, b"")
    assert refused.headers["content-encoding"] == "gzip"
    assert "content-type" not in refused.headers
    assert "retry-after" not in refused.headers


def test_limits_of_a_default_installation(standin: StandIn, visitor: Visitor) -> None:
    standin.world.has_limits = True
    for _ in range(20):
        visitor.ask("POST", "/api/user/login", {"username": "alice", "password": "wrong-word"})
    assert visitor.send("POST", "/api/user/login", {}).status_code == 429
    while visitor.send("GET", "/api/status").status_code == 200:
        pass
    standin.clock.advance(seconds=181)
    assert visitor.send("GET", "/api/status").status_code == 200
    assert visitor.send("POST", "/api/user/login", {}).status_code == 429
    standin.clock.advance(seconds=1200)
    assert visitor.sign_in().data("GET", "/api/user/self")["id"] == 2


def test_a_held_call_goes_on_when_it_is_let(standin: StandIn, visitor: Visitor) -> None:
    gate = standin.faults.slow("/api/status")
    with pytest.raises(httpx.ReadTimeout):
        visitor.http.get("/api/status", timeout=0.1)
    gate.set()
    assert visitor.data("GET", "/api/status")["setup"] is True


def test_rubbish_in_place_of_an_answer(standin: StandIn, visitor: Visitor) -> None:
    standin.faults.html("/api/status")
    assert visitor.send("GET", "/api/status").headers["content-type"].startswith("text/html")
    standin.faults.sql_error("/api/status")
    assert visitor.send("GET", "/api/status").status_code == 500
    standin.faults.empty("/api/status")
    assert visitor.send("GET", "/api/status").content == b""
    standin.faults.broken_json("/api/status")
    with pytest.raises(ValueError, match="line 1"):
        visitor.send("GET", "/api/status").json()
    standin.faults.oversized("/api/status", mebibytes=3)
    assert len(visitor.send("GET", "/api/status").content) > 3 << 20


def test_an_unknown_path_and_method_are_404(visitor: Visitor) -> None:
    for method, path in (("GET", "/api/no/such/path"), ("PATCH", "/api/user/self")):
        refused = visitor.send(method, path)
        assert refused.status_code == 404
        assert refused.json()["error"]["type"] == "invalid_request_error"
