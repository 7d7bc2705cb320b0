"""The account, its settings and its access token at the stand-in, with the defects that a client has to live with."""

import json

from tests.new_api.messages import language_of
from tests.new_api.running import PASSWORD, StandIn
from tests.new_api.visitor import Visitor

EMAIL = {"notify_type": "email", "quota_warning_threshold": 500_000, "notification_email": "alice@example.com"}
NEW = "N3w-pass-word"


def test_saving_the_setting_erases_what_other_tabs_have_stored(visitor: Visitor) -> None:
    visitor.sign_in()
    visitor.data("PUT", "/api/user/setting", {**EMAIL, "notify_type": "bark", "bark_url": "https://a.example/k"})
    visitor.data("PUT", "/api/user/self", {"sidebar_modules": '{"chat":{"enabled":false}}'})
    visitor.data("PUT", "/api/user/self", {"language": "en"})
    visitor.data("PUT", "/api/subscription/self/preference", {"billing_preference": "wallet_first"})
    assert list(visitor.setting()) == [
        *("notify_type", "quota_warning_threshold", "bark_url", "gotify_priority"),
        *("sidebar_modules", "billing_preference", "language"),
    ]
    visitor.data("PUT", "/api/user/setting", EMAIL)
    assert visitor.setting() == EMAIL | {"gotify_priority": 0}
    assert visitor.data("GET", "/api/user/self")["sidebar_modules"] == ""


def test_what_a_refused_setting_leaves_is_what_was_there(visitor: Visitor) -> None:
    visitor.sign_in()
    before = visitor.setting()
    for change in ({"quota_warning_threshold": 0}, {"notify_type": "pigeon"}, {"quota_warning_threshold": "1"}):
        assert visitor.ask("PUT", "/api/user/setting", EMAIL | change)["success"] is False
    assert visitor.setting() == before


def test_sidebar_and_language_are_not_checked(visitor: Visitor) -> None:
    visitor.sign_in()
    visitor.data("PUT", "/api/user/self", {"sidebar_modules": "no JSON", "display_name": "ignored"})
    visitor.data("PUT", "/api/user/self", {"sidebar_modules": {"chat": {}}})
    shown = visitor.data("GET", "/api/user/self")
    assert (shown["sidebar_modules"], shown["display_name"]) == ("no JSON", "Alice")


def test_a_saved_language_wins_over_the_header(visitor: Visitor) -> None:
    visitor.sign_in()
    assert language_of(visitor.ask("PUT", "/api/user/setting", {})["message"]) == "en"
    visitor.data("PUT", "/api/user/self", {"language": "zh"})
    assert language_of(visitor.ask("PUT", "/api/user/setting", {})["message"]) == "zh"


def test_a_get_turns_the_access_token_over(standin: StandIn, visitor: Visitor) -> None:
    visitor.sign_in()
    first = visitor.data("GET", "/api/user/token")
    second = visitor.data("GET", "/api/user/token")
    with Visitor(standin) as robot:
        robot.credentials = {"Authorization": f"Bearer {first}", "New-Api-User": "2"}
        refused = robot.send("GET", "/api/user/self")
        assert refused.status_code == (200 if standin.world.is_feb else 401)
        assert refused.json()["success"] is False
        robot.credentials["Authorization"] = second
        assert robot.data("GET", "/api/user/self")["id"] == 2
        robot.credentials["Authorization"] = f"bearer {second}"
        assert robot.send("GET", "/api/user/self").json()["success"] is not standin.world.is_feb


def test_a_password_change_in_february_ends_nothing(february: StandIn) -> None:
    with Visitor(february) as here, Visitor(february) as there:
        there.sign_in()
        here.sign_in().data("PUT", "/api/user/self", {"password": NEW, "original_password": PASSWORD})
        assert there.data("GET", "/api/user/self")["id"] == 2
        assert here.sign_in(password=NEW).data("GET", "/api/user/self")["id"] == 2


def test_a_password_change_in_august_ends_everything_but_its_own_bundle(august: StandIn) -> None:
    with Visitor(august) as here, Visitor(august) as there:
        there.sign_in()
        given = here.sign_in().data("PUT", "/api/user/self", {"password": NEW, "original_password": PASSWORD})
        assert "user" not in given
        for visitor in (here, there):
            assert visitor.send("GET", "/api/user/self").json()["code"] == "AUTH_SESSION_REVOKED"
        assert here.keep(given).data("GET", "/api/user/self")["id"] == 2


def test_passwords_have_eight_to_twenty_characters_and_one_magic_word_does_nothing(visitor: Visitor) -> None:
    visitor.sign_in()
    for bad in ("seven77", "x" * 21):
        answer = visitor.ask("PUT", "/api/user/self", {"password": bad, "original_password": PASSWORD})
        assert answer["success"] is False
    visitor.data("PUT", "/api/user/self", {"password": "$I_LOVE_U", "original_password": PASSWORD})
    assert visitor.sign_in().data("GET", "/api/user/self")["id"] == 2


def test_delete_asks_nothing_and_keeps_the_name(standin: StandIn, visitor: Visitor) -> None:
    visitor.sign_in().data("DELETE", "/api/user/self")
    assert standin.alice.is_deleted
    assert visitor.send("GET", "/api/user/self").json()["success"] is False
    answer = visitor.ask("POST", "/api/user/register", {"username": "alice", "password": PASSWORD})
    assert answer["success"] is False


def test_status_tells_the_generations_apart(february: StandIn, august: StandIn) -> None:
    with Visitor(february) as old, Visitor(august) as new:
        before, after = old.data("GET", "/api/status"), new.data("GET", "/api/status")
    assert set(before) - set(after) == {"_qn", "top_up_link"}
    assert set(after) - set(before) == {
        *("register_enabled", "password_login_enabled", "password_register_enabled", "oidc_display_name", "theme")
    }


def test_setting_and_sidebar_are_json_in_strings(visitor: Visitor) -> None:
    shown = visitor.sign_in().data("GET", "/api/user/self")
    assert json.loads(json.loads(shown["setting"])["sidebar_modules"]) == json.loads(shown["sidebar_modules"])
