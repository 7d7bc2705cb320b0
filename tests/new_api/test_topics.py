"""Keys, logs, money, bindings, mailed codes, passkeys and step-up at the stand-in: what differs between generations."""

from tests.new_api.api_keys import add_key
from tests.new_api.running import QUOTA, StandIn
from tests.new_api.visitor import Visitor

KEY = {"name": "laptop", "expired_time": -1, "remain_quota": 0, "unlimited_quota": True}
HELLO = {"model": "stub-model", "messages": [{"role": "user", "content": "hi"}]}
CREDENTIAL = {"id": "cred-1", "rawId": "cred-1", "type": "public-key", "response": {"transports": ["internal"]}}


def test_a_key_is_made_without_an_answer_and_listed_in_clear_or_masked(standin: StandIn, visitor: Visitor) -> None:
    visitor.sign_in()
    assert visitor.data("POST", "/api/token/", KEY) is None
    row = visitor.data("GET", "/api/token/?p=1&size=10")["items"][0]
    secret = standin.world.keys[0]["key"]
    assert (row["key"] == secret) is standin.world.is_feb
    revealed = visitor.send("POST", f"/api/token/{row['id']}/key")
    assert revealed.status_code == (404 if standin.world.is_feb else 200)
    visitor.data("PUT", "/api/token/?status_only=1", {"id": 1, "status": 2})
    assert visitor.data("GET", "/api/token/1")["status"] == 2
    visitor.data("DELETE", "/api/token/1")
    assert visitor.data("GET", "/api/token/?p=1&size=10")["total"] == 0


def test_search_matches_the_whole_name_unless_it_holds_a_percent_sign(visitor: Visitor) -> None:
    visitor.sign_in().data("POST", "/api/token/", KEY)
    assert visitor.data("GET", "/api/token/search?keyword=lap&token=")["total"] == 0
    assert visitor.data("GET", "/api/token/search?keyword=lap%25&token=")["total"] == 1


def test_a_call_costs_and_is_logged(standin: StandIn, visitor: Visitor) -> None:
    visitor.sign_in()
    key = add_key(standin.world, standin.alice, name="laptop", expired_time=-1, unlimited_quota=True)
    authorization = f"Bearer sk-{key['key']}"
    assert visitor.send("POST", "/v1/chat/completions", HELLO, Authorization=authorization).status_code == 200
    page = visitor.data("GET", "/api/log/self?p=1&page_size=10&type=2")
    assert (page["total"], page["items"][0]["quota"], page["items"][0]["id"]) == (1, 1500, 1)
    assert visitor.data("GET", "/api/log/self/stat") == {"quota": 1500, "rpm": 1, "tpm": 1500}
    assert visitor.data("GET", "/api/user/self")["quota"] == QUOTA - 1500
    refused = visitor.send("POST", "/v1/chat/completions", HELLO | {"model": "free-model"}, Authorization=authorization)
    assert refused.status_code == (500 if standin.world.is_feb else 400)


def test_a_code_is_redeemed_once(standin: StandIn, visitor: Visitor) -> None:
    standin.world.redemptions["gift"] = 500_000
    visitor.sign_in()
    assert visitor.data("POST", "/api/user/topup", {"key": "gift"}) == 500_000
    assert visitor.ask("POST", "/api/user/topup", {"key": "gift"})["success"] is False


def test_an_address_is_bound_by_a_mailed_code(standin: StandIn, visitor: Visitor) -> None:
    visitor.sign_in().data("GET", "/api/verification?email=a@example.com")
    code = standin.world.mail[0][2]
    if standin.world.is_feb:
        visitor.data("GET", f"/api/oauth/email/bind?email=a@example.com&code={code}")
    else:
        visitor.data("POST", "/api/oauth/email/bind", {"email": "a@example.com", "code": code})
    assert standin.alice.email == "a@example.com"
    visitor.ask("GET", "/api/verification?email=b@example.com")
    assert visitor.send("GET", "/api/verification?email=b@example.com").status_code == 429


def test_february_crashes_on_a_right_code_by_access_token(february: StandIn) -> None:
    february.alice.access_token = "token"
    february.world.mail_codes["a@example.com", "bind"] = ("c0de", february.world.now() + 60)
    path = "/api/oauth/email/bind?email=a@example.com&code=c0de"
    with Visitor(february) as robot:
        robot.credentials = {"Authorization": "Bearer token", "New-Api-User": "2"}
        crashed = robot.send("GET", path)
        assert (crashed.status_code, crashed.content) == (200, b"")
        assert robot.send("GET", path, Accept_Encoding="identity").status_code == 500


def test_august_renews_the_bundle_for_a_passkey(august: StandIn) -> None:
    august.world.options |= {"passkey.enabled": "true", "passkey.allow_insecure_origin": "true"}
    with Visitor(august) as visitor:
        token = visitor.sign_in().data("POST", "/api/user/passkey/register/begin")["flow_token"]
        finish = {"flow_token": token, "credential": CREDENTIAL}
        visitor.keep(visitor.data("POST", "/api/user/passkey/register/finish", finish))
        assert visitor.data("GET", "/api/user/passkey") == {"enabled": True, "last_used_at": None}
        refused = visitor.send("DELETE", "/api/user/passkey")
        assert (refused.status_code, refused.json()["code"]) == (403, "SECURITY_PROOF_REQUIRED")
