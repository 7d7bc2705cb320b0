"""The console of an account on a New API server: what that has, and a sentence for what it has not."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.harness.consoles import Stage
from tests.harness.standin_rows import add_call, add_error
from tests.new_api.api_keys import add_key
from tests.new_api.generations import Generation
from tests.new_api.logs import count_hours
from tests.new_api.running import StandIn, in_memory
from tests.snapshots.conftest import ServerPicture
from tests.snapshots.steps import opening

LARGE = (120, 40)
SIZES = pytest.mark.parametrize("size", [(80, 24), LARGE], ids=["80x24", "120x40"])


@pytest.fixture(params=[Generation.AUG], ids=lambda generation: generation.value)
def standin(request: pytest.FixtureRequest) -> Iterator[StandIn]:
    """A server of August 2026 with an account that is used: keys, calls, a payment, and a bound identity."""
    with in_memory(request.param) as found:
        _use(found)
        yield found


def _use(standin: StandIn) -> None:
    world, alice = standin.world, standin.alice
    alice.email = "alice@example.com"
    alice.used_quota = 1_500_000
    alice.store(
        alice.stored()
        | {
            "notify_type": "webhook",
            "quota_warning_threshold": 500_000,
            "webhook_url": "https://hooks.example.com/quota",
            "webhook_secret": "whsec_throwaway",
        }
    )
    soon = int((standin.clock.now() + timedelta(days=20)).timestamp())
    add_key(world, alice, name="laptop", expired_time=-1, unlimited_quota=True, used_quota=400_000)
    add_key(world, alice, name="build server", expired_time=soon, remain_quota=1_000_000, used_quota=250_000)
    add_key(world, alice, name="old phone", expired_time=-1, unlimited_quota=True, status=2)
    for number in range(12):
        add_call(standin, 2_000 + 700 * number, days_ago=4 - number // 3, key=("laptop", "build server")[number % 2])
    add_error(standin)
    count_hours(world)
    for number, (status, amount) in enumerate((("success", 10), ("pending", 20), ("success", 5)), 1):
        row = {"id": number, "user_id": alice.id, "amount": amount, "money": amount * 7.3, "status": status}
        row |= {"trade_no": f"USR2NO{number:06}", "payment_method": "alipay", "create_time": world.now() - 86_400}
        world.topups.append({**row, "complete_time": world.now() - 86_300})
    for number, (slug, name) in enumerate((("forge", "Forge"), ("work", "Work directory")), 1):
        world.providers.append(
            {
                "id": number,
                "name": name,
                "slug": slug,
                "enabled": True,
                "client_id": "cid",
                "authorization_endpoint": f"https://{slug}.example/authorize",
                "scopes": "openid",
                "icon": "",
            }
        )
    alice.bindings[1] = "octo-alice"


@SIZES
@pytest.mark.parametrize("tab", ["1", "2", "3", "4", "5", "6"])
def test_a_tab(server_picture: ServerPicture, tab: str, size: tuple[int, int]) -> None:
    """What the server has not is a sentence in its row, and no button."""
    server_picture(tab, size=size)


@pytest.mark.parametrize("standin", [Generation.FEB], ids=["feb"], indirect=True)
def test_security_on_an_older_server(server_picture: ServerPicture) -> None:
    """It keeps no list of sessions."""
    server_picture("2", size=LARGE)


@SIZES
@pytest.mark.parametrize("module", ["api-keys", "usage-logs", "wallet"])
def test_a_module(server_picture: ServerPicture, module: str, size: tuple[int, int]) -> None:
    """A key that is disabled, a call that failed, a payment that was not completed."""
    server_picture(opening(module), size=size)


def test_a_model_without_a_price(server_picture: ServerPicture) -> None:
    """It has none in the list, and a sentence says what the server does with its calls."""
    server_picture(opening("wallet"), "p")


@SIZES
def test_signing_in(server_picture: ServerPicture, size: tuple[int, int]) -> None:
    """The address of the server stands in the edge of the form."""
    server_picture(signed_in=False, size=size)


def test_the_question_before_a_token(server_picture: ServerPicture) -> None:
    """To ask this server for a token is to replace the one there may be."""
    server_picture("t")


@SIZES
def test_a_server_that_is_gone(server_picture: ServerPicture, standin: StandIn, size: tuple[int, int]) -> None:
    """What was read last stays, and one sentence says that the server does not answer."""

    async def steps(stage: Stage) -> None:
        await stage.press("4")
        standin.faults.is_down = True
        await stage.press("f5")
        await stage.press("2", "f5")

    server_picture(steps, size=size)


def test_a_log_of_a_server_that_is_gone(server_picture: ServerPicture, standin: StandIn) -> None:
    """The rows stay, and the line above tells when they were read."""

    async def steps(stage: Stage) -> None:
        await opening("usage-logs")(stage)
        await stage.settle()
        standin.faults.is_down = True
        standin.clock.advance(minutes=7)
        await stage.press("f5")

    server_picture(steps)


def test_a_save_on_a_server_that_is_gone(server_picture: ServerPicture, standin: StandIn) -> None:
    """One sentence refuses it, and the edit stays."""

    async def steps(stage: Stage) -> None:
        await stage.press("4")
        await stage.toggle("accept-unpriced-models")
        standin.faults.is_down = True
        await stage.press("ctrl+s")

    server_picture(steps)


def test_a_module_of_a_server_that_is_gone(server_picture: ServerPicture, standin: StandIn) -> None:
    """The page says so, and how to try again."""

    async def steps(stage: Stage) -> None:
        standin.faults.is_down = True
        await opening("api-keys")(stage)

    server_picture(steps)
