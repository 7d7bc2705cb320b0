"""The setup of two-factor authentication: its QR code for every name and size, its keys, and its digits."""

import pyotp
import pytest
from textual.widgets import Button

from screens.settings.two_factor_manage import TwoFactorManage
from screens.settings.two_factor_setup import TwoFactorSetup
from tests.fakes.authenticator_app import scan
from tests.harness.app_pictures import picture_of
from tests.harness.consoles import Stage, console
from tests.harness.homes import Home
from tui.widgets.code_cells import CodeCells, CodeTimeLeft
from tui.widgets.confirm import Confirm
from tui.widgets.dialog import Dialog
from tui.widgets.qr_code import QrCode
from tui.widgets.step_rail import StepRail

NAMES = [
    "alice",
    "a-very-long-name.of-somebody@a-company-with-a-long-name.example",
    "张伟明华",
    "𠀀𠀁𠀂𠀃",
    "محمدعليحسن",
]


async def open_setup(stage: Stage) -> TwoFactorSetup:
    await stage.press("f")
    wizard = stage.app.screen
    assert isinstance(wizard, TwoFactorSetup)
    return wizard


async def go_to_codes(stage: Stage) -> TwoFactorSetup:
    wizard = await open_setup(stage)
    await stage.press("enter")
    return wizard


async def go_to_digits(stage: Stage) -> TwoFactorSetup:
    wizard = await go_to_codes(stage)
    await stage.fill("saved-code", wizard._open_enrolment.codes[0])
    await stage.press("enter")
    return wizard


def code_of(wizard: TwoFactorSetup, stage: Stage) -> str:
    return pyotp.TOTP(wizard._open_enrolment.secret).at(stage.clock.now())


@pytest.mark.parametrize("size", [(77, 23), (80, 24), (90, 30), (120, 40), (200, 50)])
@pytest.mark.parametrize("name", NAMES)
async def test_every_name_has_a_code_that_an_authenticator_app_reads(name: str, size: tuple[int, int]) -> None:
    async with console(name=name, size=size) as stage:
        wizard = await open_setup(stage)
        read = pyotp.parse_uri(scan(picture_of(stage.app)))
        assert isinstance(read, pyotp.TOTP)
        assert read.secret == wizard._open_enrolment.secret
        assert read.issuer == "Gatekey"
        assert read.name == name or name.startswith(read.name.removesuffix(".."))
        code, button = wizard.query_one(QrCode).region, wizard.query_one("#next", Button).region
        assert wizard.region.contains_region(code)
        assert wizard.region.contains_region(button)
        assert button.x > code.right


async def test_a_large_terminal_has_the_whole_name_in_its_code() -> None:
    async with console(name=NAMES[1], size=(120, 40)) as stage:
        await open_setup(stage)
        assert pyotp.parse_uri(scan(picture_of(stage.app))).name == NAMES[1]


async def test_too_small_a_terminal_shows_the_key_alone_and_says_so() -> None:
    async with console(size=(60, 20)) as stage:
        wizard = await open_setup(stage)
        assert wizard.query_one(QrCode).size.area == 0
        assert stage.says("The QR code needs 77 columns and 23 rows.")
        secret = wizard._open_enrolment.secret
        assert stage.says(" ".join(secret[at : at + 4] for at in range(0, 16, 4)))
        await stage.pilot.resize_terminal(77, 23)
        await stage.settle()
        assert wizard.query_one(QrCode).size.area


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)])
async def test_the_rail_names_the_step_that_is_shown(size: tuple[int, int]) -> None:
    async with console(size=size) as stage:
        wizard = await open_setup(stage)
        assert stage.says("① Scan QR Code")
        await stage.press("enter")
        assert stage.says("② Save Backup Recovery Codes")
        await stage.fill("saved-code", wizard._open_enrolment.codes[0])
        await stage.press("enter")
        assert stage.says("③ Verify Setup")


async def test_without_room_for_the_rail_the_title_names_the_step() -> None:
    async with console(size=(80, 23)) as stage:
        wizard = await open_setup(stage)
        assert not wizard.query_one(StepRail).display
        assert stage.says("Step 1 of 3: Scan QR Code")
        await stage.press("enter")
        assert stage.says("② Save Backup Recovery Codes")


async def test_the_long_button_is_whole() -> None:
    for size in ((60, 20), (80, 24), (160, 50)):
        async with console(size=size) as stage:
            await go_to_digits(stage)
            assert stage.says("Complete setup and enable two-factor authentication")


@pytest.mark.each_generation
async def test_the_last_digit_completes_the_setup(home: Home) -> None:
    async with home.console() as stage:
        wizard = await go_to_digits(stage)
        await stage.press(*code_of(wizard, stage))
        assert not isinstance(stage.app.screen, TwoFactorSetup)
        assert stage.says("Two-factor authentication is on.")
        assert home.has_two_factor()


async def test_enter_by_habit_after_the_last_digit_opens_nothing(stage: Stage) -> None:
    wizard = await go_to_digits(stage)
    await stage.press(*code_of(wizard, stage), "enter")
    assert not isinstance(stage.app.screen, TwoFactorManage)
    assert stage.says("Two-factor authentication is on.")


async def test_a_wrong_code_is_told_at_its_cells_and_can_be_typed_again(home: Home) -> None:
    async with home.console() as stage:
        wizard = await go_to_digits(stage)
        right = code_of(wizard, stage)
        await stage.press(*("000000" if right != "000000" else "111111"), "enter")
        assert stage.says("✗ The code is wrong."), stage.text()
        assert wizard.query_one(CodeCells).value == ""
        await stage.press(*right)
        assert stage.says("Two-factor authentication is on.")


async def test_the_button_asks_for_the_digits_that_are_missing(stage: Stage) -> None:
    await go_to_digits(stage)
    await stage.press(*"123")
    await stage.click("#complete")
    assert stage.says("Enter all six digits.")


async def test_the_time_left_is_that_of_the_clock(stage: Stage) -> None:
    await go_to_digits(stage)
    left = stage.app.screen.query_one(CodeTimeLeft)
    stage.clock.advance(seconds=13)
    left.read_clock()
    await stage.settle()
    assert stage.says(f"{30 - int(stage.clock.now().timestamp()) % 30} s left")


async def test_back_has_a_key_on_each_step_that_has_one(stage: Stage) -> None:
    wizard = await go_to_digits(stage)
    await stage.press("ctrl+o")
    assert wizard.step == 1
    await stage.press("enter")
    assert wizard.step == 2, "the codes were confirmed before"
    await stage.press("ctrl+o", "ctrl+o")
    assert wizard.step == 0
    await stage.press("ctrl+o")
    assert wizard.step == 0


async def test_the_key_and_the_codes_are_copied_by_the_same_key(home: Home) -> None:
    async with home.console() as stage:
        wizard = await open_setup(stage)
        secret, codes = wizard._open_enrolment.secret, wizard._open_enrolment.codes
        await stage.press("ctrl+y")
        assert stage.app.clipboard == secret
        await stage.press("enter", "ctrl+y")
        assert all(code in stage.app.clipboard for code in codes)
        assert wizard.step == 1


async def test_the_codes_are_hidden_and_revealed_by_a_key(stage: Stage) -> None:
    wizard = await go_to_codes(stage)
    first = wizard._open_enrolment.codes[0]
    assert stage.says(first)
    await stage.press("ctrl+r")
    assert not stage.says(first)
    await stage.press("ctrl+r")
    assert stage.says(first)


async def test_enter_without_a_code_takes_no_try_and_a_wrong_code_leaves_the_buttons_in_sight() -> None:
    async with console(size=(80, 24)) as stage:
        await stage.press("f", "enter", "enter")
        assert stage.says("✗ Type one of the codes above.")
        await stage.fill("saved-code", "0000-0000-0000-0000")
        await stage.press("enter")
        assert stage.says("Not one of these codes. 4 more tries.")
        button = stage.app.screen.query_one("#confirm-saved", Button)
        assert button.region.bottom <= stage.app.screen.query_one(Dialog).region.bottom - 1


async def test_leaving_asks_from_every_step(home: Home) -> None:
    async with home.console() as stage:
        wizard = await open_setup(stage)
        for step in range(3):
            await stage.press("escape")
            assert isinstance(stage.app.screen, Confirm), step
            await stage.press("escape")
            assert stage.says("Two-Factor Authentication")
            if step == 0:
                await stage.press("enter")
            elif step == 1:
                await stage.fill("saved-code", wizard._open_enrolment.codes[0])
                await stage.press("enter")
