"""The console shows times in the person's zone, from keys.toml or TZ, and names the zone."""

import pytest

from tests.harness.consoles import Stage, console
from tests.snapshots.scenes import busy_store


async def activity(stage: Stage) -> str:
    await stage.press("a")
    return stage.text()


@pytest.mark.parametrize(
    ("tz", "zone"),
    [(None, "UTC"), ("", "UTC"), ("America/New_York", "EST"), ("Asia/Kolkata", "IST"), ("no/zone", "UTC")],
)
async def test_the_activity_is_told_in_the_zone_of_tz(
    tz: str | None, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if tz is None:
        monkeypatch.delenv("TZ", raising=False)
    else:
        monkeypatch.setenv("TZ", tz)
    async with console(busy_store(), size=(120, 40)) as stage:
        assert zone in await activity(stage)


async def test_the_zone_of_keys_toml_comes_before_tz(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    async with console(busy_store(), size=(120, 40), timezone="Asia/Tokyo") as stage:
        text = await activity(stage)
        assert "JST" in text
        assert "EST" not in text
