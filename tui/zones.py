"""The time zone in which times are shown."""

from collections.abc import Mapping
from datetime import UTC, tzinfo


class NotAZoneError(ValueError):
    """A text is not the name of a time zone. The message says so."""


def zone_named(name: str) -> tzinfo:
    """The zone with this name of the IANA database. Raises `NotAZoneError`."""
    from zoneinfo import ZoneInfo, available_timezones

    from tui.key_names import did_you_mean

    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise NotAZoneError(f"{name!r} is not a time zone{did_you_mean(name, available_timezones())}") from error


def local_zone(environ: Mapping[str, str], chosen: str | None = None) -> tzinfo:
    """The zone that the person chose, or else that of TZ if it is a name, or else UTC."""
    for name in (chosen, environ.get("TZ", "").removeprefix(":")):
        if name:
            try:
                return zone_named(name)
            except NotAZoneError:
                continue
    return UTC
