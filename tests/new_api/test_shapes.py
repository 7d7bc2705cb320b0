"""The check of a client's requests against the recorded shapes."""

import pytest

from tests.new_api.exchanges import NOT_REPLAYED, recorded
from tests.new_api.generations import Generation
from tests.new_api.replay import Replay
from tests.new_api.running import StandIn, running
from tests.new_api.visitor import Visitor

EMAIL = {"notify_type": "email", "quota_warning_threshold": 500_000, "notification_email": "alice@example.com"}


def test_what_was_recorded_is_no_surprise(visitor: Visitor) -> None:
    visitor.sign_in().data("GET", "/api/user/self")
    visitor.data("PUT", "/api/user/setting", EMAIL)
    visitor.data("PUT", "/api/user/setting", EMAIL | {"quota_warning_threshold": 0.5})
    assert visitor.standin.unlike_recorded == []


@pytest.mark.parametrize(
    ("method", "path", "body", "complaint"),
    [
        ("GET", "/api/no/such/path", None, "GET /api/no/such/path: no such request was recorded of {}"),
        ("PATCH", "/api/user/self", None, "PATCH /api/user/self: no such request was recorded of {}"),
        ("GET", "/api/user/self?fresh=1", None, "GET /api/user/self: query key fresh"),
        ("PUT", "/api/user/setting", EMAIL | {"tone": "x"}, "PUT /api/user/setting: field tone of type str"),
        (
            *("PUT", "/api/user/setting", EMAIL | {"quota_warning_threshold": "1"}),
            "PUT /api/user/setting: field quota_warning_threshold of type str",
        ),
        ("PUT", "/api/user/setting", None, "PUT /api/user/setting: no body"),
        ("PUT", "/api/user/self", [], "PUT /api/user/self: a body that is a list"),
    ],
)
def test_what_was_not_recorded_is_named(
    visitor: Visitor, standin: StandIn, method: str, path: str, body: object, complaint: str
) -> None:
    visitor.send(method, path, body)
    assert standin.unlike_recorded == [complaint.format(standin.world.generation.value)]


def test_the_id_header_is_no_business_of_august_but_where_it_was_recorded(august: StandIn) -> None:
    with Visitor(august) as visitor:
        visitor.sign_in().send("GET", "/api/user/token", New_Api_User="2")
    assert august.unlike_recorded == ["GET /api/user/token: header new-api-user"]


def test_a_test_of_a_client_fails_for_a_request_that_was_not_recorded() -> None:
    with (
        pytest.raises(AssertionError, match="query key fresh"),
        running(Generation.AUG) as standin,
        Visitor(standin) as visitor,
    ):
        visitor.send("GET", "/api/user/self?fresh=1")


@pytest.mark.parametrize("generation", list(Generation), ids=lambda generation: generation.value)
def test_requests_that_the_server_accepted_have_their_own_shape(generation: Generation) -> None:
    """Every accepted request of the recording passes: only refused ones may have another form."""
    unlike = []
    with running(generation, is_set_up=False, takes_any_request=True) as standin:
        replay = Replay(standin)
        for exchange in recorded(generation):
            if (generation, exchange["n"]) in NOT_REPLAYED:
                continue
            before = len(standin.unlike_recorded)
            replay.compare(exchange)
            answer = exchange.get("answer")
            if exchange["status"] == 200 and not (isinstance(answer, dict) and answer.get("success") is False):
                unlike += standin.unlike_recorded[before:]
        replay.close()
    assert unlike == []
