"""Time-based one-time passwords (RFC 6238) as all authenticator apps know them: SHA-1, six digits, thirty seconds."""

import io
import re
from datetime import datetime
from hmac import compare_digest

import pyotp

STEP_SECONDS = 30
ISSUER = "Gatehouse"

_SECRET_BASE32_CHARACTERS = 32  # 160 bits, as RFC 4226 section 4 (R6) recommends
_CODE = re.compile(r"[0-9]{6}", re.ASCII)
_MOST_SKEWED_STEPS = 10
_QUIET_ZONE = 4  # modules, as ISO/IEC 18004 asks for
_TITLE = "QR code to scan with an authenticator app"


def new_secret() -> str:
    """160 random bits in base32, as apps expect them."""
    return pyotp.random_base32(_SECRET_BASE32_CHARACTERS)


def step_at(at: datetime) -> int:
    """The time step that an instant lies in (RFC 6238 section 4.2)."""
    return int(at.timestamp()) // STEP_SECONDS


def code_at(secret: str, at: datetime) -> str:
    """The code that an app with this secret shows at an instant."""
    return _code(secret, step_at(at))


def matching_step(secret: str, code: str, at: datetime, last_step: int | None) -> int | None:
    """The time step whose code this is, or None. Only the current and the previous one count (RFC 6238 section 5.2).

    SECURITY: a step must come after the last accepted one. Whoever accepts the code must store the step in the same
    conditional update, or two requests could spend it together.
    """
    present = step_at(at)
    return _first_fitting(
        secret, code, [step for step in (present, present - 1) if last_step is None or step > last_step]
    )


def clock_skew(secret: str, code: str, at: datetime) -> int | None:
    """Seconds by which the app's clock seems to be off (positive: ahead), where the code fits a nearby time step.

    None for a code of the accepted steps, which was spent then, and for one of no step near.
    SECURITY: this tells that a code is right at another time, so it is only for callers whose try was counted. None
    for the next step's too: within seconds that one is right, and a clock that is ahead by so little needs no hint.
    """
    present = step_at(at)
    ahead_and_behind = [present + sign * steps for steps in range(2, _MOST_SKEWED_STEPS + 1) for sign in (1, -1)]
    fitting = _first_fitting(secret, code, ahead_and_behind)
    return None if fitting is None else (fitting - present) * STEP_SECONDS


def provisioning_uri(secret: str, account: str) -> str:
    """The `otpauth:` URI that an app reads out of the QR code; `account` is what it shows beside the issuer."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=ISSUER)


def qr_svg(uri: str) -> str:
    """A QR code as one SVG element of shapes, without a size of its own, readable on any background."""
    import segno  # noqa: PLC0415 - a start need not wait for what only pairing draws with

    svg = io.BytesIO()
    segno.make(uri, error="m", micro=False).save(
        svg,
        kind="svg",
        border=_QUIET_ZONE,
        dark="#000",
        light="#fff",
        omitsize=True,
        title=_TITLE,
        xmldecl=False,
        svgclass=None,
        lineclass=None,
        nl=False,
    )
    # Screen readers read the title of an element that says it is a picture.
    return svg.getvalue().decode().replace("<svg ", '<svg role="img" ', 1)


def _first_fitting(secret: str, code: str, steps: list[int]) -> int | None:
    if _CODE.fullmatch(code) is None:
        return None
    return next((step for step in steps if compare_digest(_code(secret, step), code)), None)


def _code(secret: str, step: int) -> str:
    return pyotp.HOTP(secret).at(step) if step >= 0 else ""
