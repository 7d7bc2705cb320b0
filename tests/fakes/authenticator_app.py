"""An authenticator app: it scans a QR code and shows codes. None of it is Gatekey's own code.

Where zbarimg and oathtool are installed, they give a second opinion on every picture and every code.
"""

import base64
import hashlib
import hmac
import io
import subprocess
from datetime import UTC, datetime
from typing import Final

import zxingcpp
from PIL import Image

from tests import parts

QR_CODE: Final = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)


def scan(picture: bytes) -> str:
    """The text of the one QR code in a PNG. Raises AssertionError without one, or with several."""
    with Image.open(io.BytesIO(picture)) as image:
        found = [code.text for code in zxingcpp.read_barcodes(image, formats=QR_CODE)]
    assert len(found) == 1, f"{len(found)} QR codes in the picture"
    if parts.ZBARIMG.is_there():
        assert zbarimg(picture) == found[0]
    return found[0]


def zbarimg(picture: bytes) -> str:
    """The same, read by zbarimg."""
    command = ["zbarimg", "--quiet", "--raw", "--set", "disable", "--set", "qrcode.enable", "-"]
    read = subprocess.run(command, input=picture, capture_output=True, check=False)
    assert read.returncode == 0, f"zbarimg reads nothing: {read.stderr.decode()}"
    return read.stdout.decode().strip()


def code(secret: str, step: int) -> str:
    """The six digits of a 30-second step (RFC 6238 with SHA-1, truncated as in RFC 4226, section 5.3)."""
    mac = hmac.digest(base64.b32decode(secret), step.to_bytes(8), hashlib.sha1)
    offset = mac[-1] & 0xF
    shown = f"{(int.from_bytes(mac[offset : offset + 4]) & 0x7FFFFFFF) % 10**6:06}"
    if parts.OATHTOOL.is_there():
        assert oathtool(secret, datetime.fromtimestamp(step * 30, UTC)) == shown
    return shown


def oathtool(secret: str, moment: datetime) -> str:
    """The code oathtool shows at a moment."""
    command = ["oathtool", "--totp", "--base32", f"--now={moment:%Y-%m-%d %H:%M:%S} UTC", secret]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
