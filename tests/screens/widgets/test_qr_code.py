"""The QR code on the screen is the URI: read back from pixels, as a phone would."""

import io
import os
import subprocess
from pathlib import Path

import cairosvg
import pytest
from textual.geometry import Size

from tests.screens.widgets.stage import Stage
from tui.terminal import native_colours
from tui.widgets.qr_code import QrCode, fits, size_for

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
URI = f"otpauth://totp/Gatekey:alice?secret={SECRET}&issuer=Gatekey"


def read_code(svg: str, folder: Path) -> str:
    picture = folder / "screen.png"
    cairosvg.svg2png(file_obj=io.BytesIO(svg.encode()), write_to=str(picture))
    read = subprocess.run(
        ["zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", picture],
        capture_output=True,
        text=True,
        check=False,
    )
    return read.stdout.strip()


@pytest.mark.anyio
@pytest.mark.parametrize("theme", ["textual-dark", "textual-light", "ansi-dark"])
async def test_the_code_on_the_screen_can_be_scanned(theme: str, tmp_path: Path) -> None:
    app = Stage(lambda: [QrCode(URI)])
    async with app.run_test(size=(80, 24)) as pilot:
        app.theme = theme
        await pilot.pause()
        assert read_code(app.export_screenshot(), tmp_path) == URI


@pytest.mark.anyio
async def test_without_colours_the_code_is_still_black_on_white(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = Stage(lambda: [QrCode(URI)], ansi_color=native_colours(os.environ))
    async with app.run_test(size=(80, 24)) as pilot:
        app.theme = "ansi-dark"
        await pilot.pause()
        assert app.no_color
        assert read_code(app.export_screenshot(), tmp_path) == URI


@pytest.mark.anyio
async def test_another_uri_replaces_the_first_and_none_takes_no_room(tmp_path: Path) -> None:
    app = Stage(lambda: [QrCode()])
    async with app.run_test(size=(80, 30)) as pilot:
        code = app.query_one(QrCode)
        assert code.size.area == 0
        longer = URI.replace("alice", "alice.with.a.long.name@example.com")
        for uri in (URI, longer):
            code.draw(uri)
            await pilot.pause()
            assert (code.size.width, code.size.height) == size_for(uri)
            assert read_code(app.export_screenshot(), tmp_path) == uri
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
