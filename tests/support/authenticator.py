"""A phone with an authenticator app, independent of the gateway's own maths: it knows what it scanned, and no more."""

import io
import shutil
import subprocess
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pyotp
import resvg_py
import zxingcpp
from PIL import Image

from kit import clock

STEP = timedelta(seconds=30)
OATHTOOL = shutil.which("oathtool")
PIXELS = 400


def begin_step() -> None:
    """Wait for the next time step to begin, so that whatever a test does falls into one."""
    clock.shift(STEP - timedelta(seconds=clock.now().timestamp() % STEP.total_seconds()))


def scan(svg: str) -> str:
    """What a camera reads off the picture."""
    return read_qr(bytes(resvg_py.svg_to_bytes(svg_string=svg, width=PIXELS)))


def read_qr(png: bytes) -> str:
    """The text of the one QR code in a picture."""
    # Nothing else is looked for: one picture in a thousand has stripes that could be a parcel's bar code too.
    only_qr = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(png)), formats=only_qr)
    return str(found.text)


@dataclass(frozen=True)
class Authenticator:
    """Shows codes of one account. Its clock is the gateway's, unless a test says otherwise."""

    issuer: str
    account: str
    secret: str

    @classmethod
    def scanning(cls, svg: str) -> "Authenticator":
        """An app that was paired by its camera."""
        parts = urlsplit(scan(svg))
        assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
        issuer, _, account = unquote(parts.path.removeprefix("/")).partition(":")
        values = parse_qs(parts.query, strict_parsing=True)
        assert values["issuer"] == [issuer]
        return cls(issuer, account, values["secret"][0])

    def code(self, steps: int = 0) -> str:
        """The code of the present time step, or of one so many steps later."""
        return self.code_at(clock.now() + steps * STEP)

    def next_code(self) -> str:
        """Wait for the next time step, and show its code."""
        begin_step()
        return self.code()

    def code_at(self, at: datetime) -> str:
        """The code of an instant: by Debian's oathtool, or by pyotp where the machine has none."""
        if OATHTOOL is None:
            return pyotp.TOTP(self.secret).at(at)
        command = [OATHTOOL, "--totp", "--base32", f"--now=@{int(at.timestamp())}", "-"]
        done = subprocess.run(command, input=self.secret, check=True, capture_output=True, text=True)
        return done.stdout.strip()
