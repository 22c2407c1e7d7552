"""One-time passwords, by the published vectors and by what must never pass."""

import base64
import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit import totp

# RFC 6238 appendix B (SHA-1) and RFC 4226 appendix D share this secret: the ASCII text "12345678901234567890".
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
RFC_6238_VECTORS = [
    (59, "94287082"),
    (1111111109, "07081804"),
    (1111111111, "14050471"),
    (1234567890, "89005924"),
    (2000000000, "69279037"),
    (20000000000, "65353130"),
]
RFC_4226_CODES = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"]

NOON = datetime(2030, 1, 31, 12, 0, 10, tzinfo=UTC)
SECRETS = st.binary(min_size=20, max_size=20)
INSTANTS = st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - made aware


def at_step(step: int) -> datetime:
    return datetime.fromtimestamp(step * totp.STEP_SECONDS, UTC)


@pytest.mark.parametrize(("seconds", "eight_digits"), RFC_6238_VECTORS)
def test_codes_are_those_of_rfc_6238(seconds: int, eight_digits: str) -> None:
    assert totp.code_at(RFC_SECRET, datetime.fromtimestamp(seconds, UTC)) == eight_digits[-6:]


@pytest.mark.parametrize(("counter", "code"), list(enumerate(RFC_4226_CODES)))
def test_codes_are_those_of_rfc_4226(counter: int, code: str) -> None:
    assert totp.code_at(RFC_SECRET, at_step(counter)) == code


def test_secrets_have_160_bits_and_differ() -> None:
    secrets = {totp.new_secret() for _ in range(50)}

    assert len(secrets) == 50
    assert all(len(pyotp.TOTP(secret).byte_secret()) == 20 for secret in secrets)


@pytest.mark.parametrize(
    ("steps", "is_accepted"), [(-11, False), (-2, False), (-1, True), (0, True), (1, False), (2, False)]
)
def test_only_the_current_and_the_previous_step_count(steps: int, is_accepted: bool) -> None:
    code = totp.code_at(RFC_SECRET, NOON + timedelta(seconds=30 * steps))

    found = totp.matching_step(RFC_SECRET, code, NOON, None)

    assert found == (totp.step_at(NOON) + steps if is_accepted else None)


@pytest.mark.parametrize("last", [0, 1, 1_000])
def test_a_step_is_accepted_only_after_the_last_one(last: int) -> None:
    present = totp.step_at(NOON)
    code, former_code = (totp.code_at(RFC_SECRET, NOON - timedelta(seconds=back)) for back in (0, 30))

    assert totp.matching_step(RFC_SECRET, code, NOON, present + last) is None
    assert totp.matching_step(RFC_SECRET, former_code, NOON, present + last) is None
    assert totp.matching_step(RFC_SECRET, former_code, NOON, present - 1) is None
    assert totp.matching_step(RFC_SECRET, code, NOON, present - 1) == present


@pytest.mark.parametrize(
    "spelled",
    [
        "{code} ",
        " {code}",
        "{code}\n",
        "{code}0",
        "+{code}",
        "-{code}",
        "{code}.0",
        "{code}\0",
        "{half} {rest}",
        "{half}-{rest}",
        "{half}_{rest}",
        "{arabic}",
        "{wide}",
        "",
        "\ud800",
        "{code}" * 2_000,
    ],
)
def test_only_six_ascii_digits_are_a_code(spelled: str) -> None:
    code = totp.code_at(RFC_SECRET, NOON)
    arabic = "".join(chr(0x0660 + int(digit)) for digit in code)
    wide = "".join(chr(0xFF10 + int(digit)) for digit in code)

    typed = spelled.format(code=code, half=code[:3], rest=code[3:], arabic=arabic, wide=wide)

    assert totp.matching_step(RFC_SECRET, typed, NOON, None) is None
    assert totp.clock_skew(RFC_SECRET, typed, NOON) is None


@given(SECRETS, INSTANTS, st.integers(-30, 30))
def test_a_code_is_accepted_now_or_tells_the_skew_or_neither(raw: bytes, at: datetime, steps: int) -> None:
    secret = base64.b32encode(raw).decode()
    code = totp.code_at(secret, at + timedelta(seconds=30 * steps))

    step, skew = totp.matching_step(secret, code, at, None), totp.clock_skew(secret, code, at)

    # Two steps share a code once in a million, so what is found may be another step; its code is the same then.
    if step is not None:
        assert step in {totp.step_at(at), totp.step_at(at) - 1}
        assert totp.code_at(secret, at_step(step)) == code
    if skew is not None:
        assert skew not in {0, -30, 30}
        assert abs(skew) <= 300
        assert totp.code_at(secret, at + timedelta(seconds=skew)) == code
    assert (step is not None) >= (steps in {0, -1})
    assert (skew is not None) >= (-10 <= steps <= 10 and steps not in {0, -1, 1})


@pytest.mark.parametrize(
    ("steps", "seconds"), [(-11, None), (-10, -300), (-2, -60), (1, None), (2, 60), (10, 300), (11, None)]
)
def test_skew_has_a_sign_and_an_end(steps: int, seconds: int | None) -> None:
    code = totp.code_at(RFC_SECRET, NOON + timedelta(seconds=30 * steps))

    assert totp.clock_skew(RFC_SECRET, code, NOON) == seconds


def test_nothing_is_accepted_before_1970_began() -> None:
    assert totp.matching_step(RFC_SECRET, "000000", datetime.fromtimestamp(5, UTC), None) is None
    assert totp.clock_skew(RFC_SECRET, "000000", datetime.fromtimestamp(5, UTC)) is None


def test_uri_names_issuer_and_account_whatever_is_in_them() -> None:
    account = '"><script>&issuer=x#?/ %@x.test'

    parsed = pyotp.parse_uri(totp.provisioning_uri(RFC_SECRET, account))

    assert isinstance(parsed, pyotp.TOTP)
    assert (parsed.name, parsed.issuer, parsed.secret) == (account, "Gatehouse", RFC_SECRET)
    assert (parsed.digits, parsed.interval) == (6, 30)


def test_picture_is_scalable_described_and_of_shapes_only() -> None:
    svg = totp.qr_svg(totp.provisioning_uri(RFC_SECRET, "ada@example.org"))

    root = ET.fromstring(svg)  # noqa: S314 - our own text
    name = {element.tag.rpartition("}")[2] for element in root.iter()}
    attributes = {attribute for element in root.iter() for attribute in element.attrib}
    assert name == {"svg", "title", "path"}
    assert attributes == {"role", "viewBox", "fill", "d", "stroke"}
    assert root.get("role") == "img"
    assert root[0].text == "QR code to scan with an authenticator app"
    assert len(svg) < 6_000


def test_picture_brings_its_own_light_background_with_a_quiet_zone() -> None:
    svg = totp.qr_svg("otpauth://totp/x")

    background, dark = ET.fromstring(svg)[1:]  # noqa: S314 - our own text
    width = int(ET.fromstring(svg).attrib["viewBox"].split()[2])  # noqa: S314 - our own text
    assert (background.get("fill"), background.get("d")) == ("#fff", f"M0 0h{width}v{width}h-{width}z")
    assert dark.get("stroke") == "#000"
    assert re.match(r"M4 4\.5h7", dark.attrib["d"])


@given(st.emails())
def test_every_address_gives_a_picture(email: str) -> None:
    uri = totp.provisioning_uri(RFC_SECRET, email)

    assert totp.qr_svg(uri).startswith("<svg ")
    assert uri.isascii()
