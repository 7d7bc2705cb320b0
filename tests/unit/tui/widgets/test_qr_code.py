"""The QR code on the screen is the URI: read back from pixels, as a phone would."""

import os

import pytest
from textual.geometry import Size

from tests import parts
from tests.fakes.authenticator_app import scan, zbarimg
from tests.harness.app_pictures import picture_of
from tests.unit.tui.widgets.bare_console import Stage, running
from tui.terminal import native_colours
from tui.widgets.qr_code import QrCode, capacity, fits, size_for

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
URI = f"otpauth://totp/Gatekey:alice?secret={SECRET}&issuer=Gatekey"


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light", "ansi-dark"])
async def test_the_code_on_the_screen_can_be_scanned(theme: str) -> None:
    async with running(Stage(lambda: [QrCode(URI)])) as (app, pilot):
        app.theme = theme
        await pilot.pause()
        assert scan(picture_of(app)) == URI


@pytest.mark.needs(parts.ZBARIMG)
async def test_another_reader_reads_the_same() -> None:
    async with running(Stage(lambda: [QrCode(URI)])) as (app, _):
        assert zbarimg(picture_of(app)) == URI


async def test_without_colours_the_code_is_still_black_on_white(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with running(Stage(lambda: [QrCode(URI)], ansi_color=native_colours(os.environ))) as (app, pilot):
        app.theme = "ansi-dark"
        await pilot.pause()
        assert app.no_color
        assert scan(picture_of(app)) == URI


async def test_another_uri_replaces_the_first_and_none_takes_no_room() -> None:
    app = Stage(lambda: [QrCode()])
    async with app.run_test(size=(80, 30)) as pilot:
        code = app.query_one(QrCode)
        assert code.size.area == 0
        longer = URI.replace("alice", "alice.with.a.long.name@example.com")
        for uri in (URI, longer):
            code.draw(uri)
            await pilot.pause()
            assert (code.size.width, code.size.height) == size_for(uri)
            assert scan(picture_of(app)) == uri
        code.draw("")
        await pilot.pause()
        assert code.size.area == 0


def test_an_ordinary_code_fits_beside_its_text_at_80_by_24() -> None:
    columns, rows = size_for(f"otpauth://totp/AI%20Gateway:alice?secret={SECRET}&issuer=AI%20Gateway")
    assert (columns, rows) == (41, 21)


def test_fits_counts_both_directions() -> None:
    columns, rows = size_for(URI)
    assert fits(URI, Size(columns, rows))
    assert not fits(URI, Size(columns - 1, rows))
    assert not fits(URI, Size(columns, rows - 1))


def test_the_secret_is_in_no_repr() -> None:
    assert SECRET not in repr(QrCode(URI))


@pytest.mark.parametrize("version", range(1, 41))
def test_the_capacity_is_exact_to_the_byte(version: int) -> None:
    """One more byte takes a larger code."""
    side = 21 + 4 * version
    room = Size(side, (side + 1) // 2)
    most = capacity(room)
    assert size_for("a" * most) == (room.width, room.height)
    if version < 40:
        assert not fits("a" * (most + 1), room)
    assert capacity(room - (1, 0)) < most


def test_no_code_fits_into_no_room() -> None:
    assert capacity(Size(24, 12)) == 0
