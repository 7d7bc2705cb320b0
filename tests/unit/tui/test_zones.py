"""Times are in the zone of the person, and say which."""

from datetime import UTC, datetime

import pytest

from screens.relative_time import clock
from tui.zones import NotAZoneError, local_zone, zone_named

SUMMER = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
WINTER = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("environ", "chosen", "shown"),
    [
        ({}, None, "2026-07-01 12:00 UTC"),
        ({"TZ": ""}, None, "2026-07-01 12:00 UTC"),
        ({"TZ": "Europe/Berlin"}, None, "2026-07-01 14:00 CEST"),
        ({"TZ": ":Europe/Berlin"}, None, "2026-07-01 14:00 CEST"),
        ({"TZ": "Europe/Berlin"}, "Asia/Tokyo", "2026-07-01 21:00 JST"),
        ({"TZ": "nowhere"}, None, "2026-07-01 12:00 UTC"),
        ({"TZ": "../../etc/passwd"}, None, "2026-07-01 12:00 UTC"),
    ],
)
def test_the_chosen_zone_then_tz_then_utc(environ: dict[str, str], chosen: str | None, shown: str) -> None:
    assert clock(SUMMER, local_zone(environ, chosen)) == shown


def test_the_name_follows_the_season() -> None:
    assert clock(WINTER, zone_named("Europe/Berlin")) == "2026-12-01 13:00 CET"


def test_a_wrong_zone_is_named_with_what_may_be_meant() -> None:
    with pytest.raises(NotAZoneError, match=r"'Europe/Berln' is not a time zone; did you mean 'Europe/Berlin'\?"):
        zone_named("Europe/Berln")
