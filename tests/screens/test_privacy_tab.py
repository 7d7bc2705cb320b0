"""The Privacy tab: stored addresses are counted and erased."""

from tests.harness.homes import Home


async def test_stored_addresses_are_counted_and_erased(home: Home) -> None:
    for _ in range(3):
        home.record_call("203.0.113.7")
    async with home.console(press="5") as stage:
        assert stage.says("Log entries with an IP 3")
        await stage.click("#erase-ips")
        await stage.press("y")
        assert stage.says("Erased from 3 log entries")
        assert stage.says("Log entries with an IP 0")
