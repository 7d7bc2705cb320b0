"""Signing in at the stand-in: password, second step, backup code, renewal and sign-out, in both generations."""

import pytest

from tests.new_api.accounts import DISABLED
from tests.new_api.running import PASSWORD, StandIn
from tests.new_api.two_factor import code_at
from tests.new_api.visitor import Visitor

WRONG = "000000"


def switch_on(standin: StandIn, visitor: Visitor) -> tuple[str, list[str]]:
    """Two-factor authentication for alice; the secret and the backup codes."""
    begun = visitor.data("POST", "/api/user/2fa/setup")
    given = visitor.data("POST", "/api/user/2fa/enable", {"code": code_at(begun["secret"], standin.world.now())})
    visitor.keep(given or {})
    return begun["secret"], begun["backup_codes"]


def first_step(visitor: Visitor) -> dict[str, str]:
    """The fields of the second step beside the code."""
    visitor.credentials = {}
    data = visitor.data("POST", "/api/user/login", {"username": "alice", "password": PASSWORD})
    assert data["require_2fa"] is True
    return {"flow_token": data["flow_token"]} if "flow_token" in data else {}


def test_a_password_opens_the_account(visitor: Visitor) -> None:
    assert visitor.sign_in().data("GET", "/api/user/self")["username"] == "alice"


def test_nobody_is_told_apart_by_a_code(february: StandIn, august: StandIn) -> None:
    with Visitor(february) as old, Visitor(august) as new:
        assert "code" not in old.send("GET", "/api/user/self").json()
        assert new.send("GET", "/api/user/self").json()["code"] == "AUTH_UNAUTHORIZED"


def test_february_wants_the_id_beside_the_cookie(february: StandIn) -> None:
    with Visitor(february) as visitor:
        visitor.sign_in()
        assert visitor.send("GET", "/api/user/self", New_Api_User="1").status_code == 401
        visitor.credentials = {}
        assert visitor.send("GET", "/api/user/self").status_code == 401


@pytest.mark.parametrize("form", ["{}", "{}-"])
def test_a_wrong_password_is_refused_with_status_200(visitor: Visitor, form: str) -> None:
    answer = visitor.ask("POST", "/api/user/login", {"username": "alice", "password": form.format("wrong")})
    assert answer["success"] is False


def test_the_second_step_takes_a_code_and_takes_it_again(standin: StandIn, visitor: Visitor) -> None:
    secret, _ = switch_on(standin, visitor.sign_in())
    code = code_at(secret, standin.world.now())
    for _ in range(2):
        rest = first_step(visitor)
        assert visitor.send("GET", "/api/user/self", New_Api_User="2").status_code == 401
        assert visitor.ask("POST", "/api/user/login/2fa", rest | {"code": WRONG})["success"] is False
        visitor.keep(visitor.data("POST", "/api/user/login/2fa", rest | {"code": code}))
        assert visitor.data("GET", "/api/user/self")["id"] == 2


def test_a_backup_code_is_good_once(standin: StandIn, visitor: Visitor) -> None:
    _, codes = switch_on(standin, visitor.sign_in())
    spoken = {"code": codes[0].replace("-", "").lower()}
    visitor.keep(visitor.data("POST", "/api/user/login/2fa", first_step(visitor) | spoken))
    assert visitor.data("GET", "/api/user/2fa/status")["backup_codes_remaining"] == 3
    assert visitor.ask("POST", "/api/user/login/2fa", first_step(visitor) | spoken)["success"] is False


def test_five_wrong_codes_lock_and_after_the_lock_one_does(standin: StandIn, visitor: Visitor) -> None:
    secret, _ = switch_on(standin, visitor.sign_in())
    rest = first_step(visitor)
    for _ in range(5):
        visitor.ask("POST", "/api/user/login/2fa", rest | {"code": WRONG})
    right = rest | {"code": code_at(secret, standin.world.now())}
    assert visitor.ask("POST", "/api/user/login/2fa", right)["success"] is False
    standin.clock.advance(seconds=301)
    rest = first_step(visitor)
    visitor.ask("POST", "/api/user/login/2fa", rest | {"code": WRONG})
    right = rest | {"code": code_at(secret, standin.world.now())}
    assert visitor.ask("POST", "/api/user/login/2fa", right)["success"] is False
    standin.clock.advance(seconds=301)
    right = first_step(visitor) | {"code": code_at(secret, standin.world.now())}
    assert visitor.ask("POST", "/api/user/login/2fa", right)["success"] is True


def test_a_flow_token_lives_five_minutes_and_once(august: StandIn) -> None:
    with Visitor(august) as visitor:
        secret, _ = switch_on(august, visitor.sign_in())
        rest = first_step(visitor)
        august.clock.advance(seconds=301)
        code = {"code": code_at(secret, august.world.now())}
        assert visitor.ask("POST", "/api/user/login/2fa", rest | code)["success"] is False
        rest = first_step(visitor)
        assert visitor.ask("POST", "/api/user/login/2fa", rest | code)["success"] is True
        assert visitor.ask("POST", "/api/user/login/2fa", rest | code)["success"] is False


def test_an_access_token_ends_after_fifteen_minutes_and_a_refresh_goes_on(august: StandIn) -> None:
    with Visitor(august) as visitor:
        visitor.sign_in()
        august.clock.advance(seconds=901)
        assert visitor.send("GET", "/api/user/self").json()["code"] == "AUTH_UNAUTHORIZED"
        visitor.keep(visitor.data("POST", "/api/user/auth/refresh"))
        assert visitor.data("GET", "/api/user/self")["id"] == 2


def test_a_refresh_turns_the_cookie_over(august: StandIn) -> None:
    """The former cookie loses a race for half a minute; later it ends the session."""
    with Visitor(august) as visitor:
        visitor.sign_in()
        former = visitor.http.cookies["new_api_refresh"]
        visitor.data("POST", "/api/user/auth/refresh")
        assert visitor.http.cookies["new_api_refresh"] != former
        visitor.http.cookies.clear()
        again = {"Cookie": f"new_api_refresh={former}"}
        lost = visitor.send("POST", "/api/user/auth/refresh", **again)
        assert (lost.status_code, lost.json()["code"]) == (409, "AUTH_REFRESH_RACE")
        august.clock.advance(seconds=31)
        ended = visitor.send("POST", "/api/user/auth/refresh", **again)
        assert (ended.status_code, ended.json()["code"]) == (401, "AUTH_SESSION_REVOKED")
        assert visitor.send("GET", "/api/user/self").json()["code"] == "AUTH_SESSION_REVOKED"


def test_sign_out_ends_the_session_in_august(august: StandIn) -> None:
    with Visitor(august) as visitor:
        visitor.sign_in()
        assert visitor.data("POST", "/api/user/auth/logout")["cookie_cleared"] is True
        assert visitor.send("GET", "/api/user/self").json()["code"] == "AUTH_SESSION_REVOKED"


def test_sign_out_in_february_leaves_the_former_cookie_good(february: StandIn) -> None:
    with Visitor(february) as visitor:
        former = visitor.sign_in().http.cookies["session"]
        visitor.data("GET", "/api/user/logout")
        assert visitor.send("GET", "/api/user/self").status_code == 401
        visitor.http.cookies.clear()
        assert visitor.data("GET", "/api/user/self", Cookie=f"session={former}")["id"] == 2


def test_a_ban_ends_sessions_in_august_and_no_cookie_in_february(standin: StandIn, visitor: Visitor) -> None:
    visitor.sign_in()
    standin.alice.status = DISABLED
    assert visitor.send("GET", "/api/user/self").status_code == (200 if standin.world.is_feb else 401)
    assert visitor.ask("POST", "/api/user/login", {"username": "alice", "password": PASSWORD})["success"] is False


def test_sessions_are_listed_and_ended(august: StandIn) -> None:
    with Visitor(august) as here, Visitor(august) as there:
        here.sign_in()
        there.sign_in()
        listed = here.data("GET", "/api/user/sessions")
        assert [row["current"] for row in listed] == [True, False]
        assert here.data("DELETE", f"/api/user/sessions/{listed[1]['sid']}")["current"] is False
        assert there.send("GET", "/api/user/self").json()["code"] == "AUTH_SESSION_REVOKED"
        there.sign_in()
        assert here.data("POST", "/api/user/sessions/revoke-others") == {"revoked_count": 1}
