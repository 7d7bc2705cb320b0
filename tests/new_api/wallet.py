"""Money: top-ups, redemption codes, the payment form that is no envelope, invitations; and drawing and task logs."""

from typing import Any, Final

from tests.new_api.answers import Answer, done, failed, page_of, plain
from tests.new_api.call import Call, Rule
from tests.new_api.callers import MEMBER
from tests.new_api.limits import CRITICAL

PRICE: Final = 7.3


def info(call: Call) -> Answer:
    data: dict[str, Any] = {
        "amount_options": [10, 20, 50, 100, 200, 500],
        "creem_products": "[]",
        "discount": {},
        "enable_creem_topup": False,
        "enable_online_topup": False,
        "enable_stripe_topup": False,
        "min_topup": 1,
        "stripe_min_topup": 1,
        "pay_methods": [],
    }
    if call.world.is_feb:
        names = {"alipay": "rgba(var(--semi-blue-5), 1)", "wxpay": "rgba(var(--semi-green-5), 1)"}
        data["pay_methods"] = [
            {"color": color, "name": call.say_chinese(f"pay.{kind}"), "type": kind} for kind, color in names.items()
        ]
        own = {"color": "black", "min_topup": "50", "name": call.say_chinese("pay.own"), "type": "custom1"}
        data["pay_methods"].append(own)
        return done(data)
    data |= {"enable_redemption": False, "enable_waffo_pancake_topup": False, "enable_waffo_topup": False}
    data |= {"payment_compliance_confirmed": False, "payment_compliance_terms_version": "v1", "topup_link": ""}
    return done(data | {"waffo_min_topup": 1, "waffo_pancake_min_topup": 1, "waffo_pay_methods": None})


def list_topups(call: Call) -> Answer:
    return done(page_of(_newest(call, call.world.topups, ("keyword",), "trade_no"), *call.page()))


def drawings(call: Call) -> Answer:
    return done(page_of(_newest(call, call.world.drawings, ("mj_id",)), *call.page()))


def tasks(call: Call) -> Answer:
    return done(page_of(_newest(call, call.world.tasks, ("platform", "task_id", "status", "action")), *call.page()))


def _newest(call: Call, rows: list[dict[str, Any]], fields: tuple[str, ...], column: str = "") -> list[dict[str, Any]]:
    """The caller's rows that fit the query, the newest first."""
    mine = [row for row in reversed(rows) if row["user_id"] == call.caller.id]
    start, end = call.number("start_timestamp"), call.number("end_timestamp")
    in_time = [row for row in mine if start <= row.get("submit_time", start) and (not end or row["submit_time"] <= end)]
    return [row for row in in_time if all(call.query.get(name, "") in ("", row.get(column or name)) for name in fields)]


def redeem(call: Call) -> Answer:
    quota = call.world.redemptions.pop(str(call.json().get("key", "")), None)
    if quota is None:
        return failed(call.say("wallet.redemption"))
    call.caller.quota += quota
    return done(quota)


def pay(call: Call) -> Answer:
    """The payment routes have no `success`."""
    return plain({"data": call.say_chinese("wallet.no-payment"), "message": "error"})


def amount(call: Call) -> Answer:
    return plain({"data": f"{call.json().get('amount', 0) * PRICE:.2f}", "message": "success"})


def transfer(call: Call) -> Answer:
    return failed(call.say_chinese("wallet.nothing-earned"))


def groups(call: Call) -> Answer:
    names = ("default", "vip")
    return done({name: {"desc": call.say_chinese(f"group.{name}"), "ratio": 1} for name in names})


def check_in(call: Call) -> Answer:
    return failed(call.say_chinese("check-in.off"))


RULES: Final = (
    Rule("GET", "/api/user/topup/info", info, MEMBER),
    Rule("GET", "/api/user/topup/self", list_topups, MEMBER),
    Rule("POST", "/api/user/topup", redeem, MEMBER, bucket=CRITICAL),
    Rule("POST", "/api/user/pay", pay, MEMBER, bucket=CRITICAL),
    Rule("POST", "/api/user/amount", amount, MEMBER),
    Rule("GET", "/api/user/aff", lambda call: done(call.caller.aff_code), MEMBER),
    Rule("POST", "/api/user/aff_transfer", transfer, MEMBER),
    Rule("GET", "/api/user/self/groups", groups, MEMBER),
    Rule("GET", "/api/user/checkin", check_in, MEMBER),
    Rule("POST", "/api/user/checkin", check_in, MEMBER),
    Rule("GET", "/api/mj/self", drawings, MEMBER),
    Rule("GET", "/api/task/self", tasks, MEMBER),
)
