from email import message_from_bytes, policy

import pytest

from mails.letters import POLICY, as_html, compose
from models import Message

SENDER = "Gatehouse Zürich <no-reply@example.org>"
LINK = "https://accounts.example.org/graphql#resetToken=reset_" + "x" * 32
LONG = Message("ann@example.com", "A subject", f"Here it is:\n\n{LINK}\n\n123456\n\n{'word ' * 300}\n")


def sent(message: Message, mail_id: str = "one") -> bytes:
    return compose(message, sender=SENDER, mail_id=mail_id).as_bytes(policy=POLICY)


def test_letter_has_the_headers_of_a_notice() -> None:
    letter = message_from_bytes(sent(LONG), policy=policy.default)

    assert letter["From"] == SENDER
    assert letter["To"] == "ann@example.com"
    assert letter["Message-ID"] == "<one@example.org>"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Date"].datetime.utcoffset() is not None
    assert [part.get_content_type() for part in letter.walk()] == ["multipart/alternative", "text/plain", "text/html"]


def test_both_parts_say_the_same_and_the_link_stays_whole() -> None:
    letter = message_from_bytes(sent(LONG), policy=policy.default)
    plain, page = letter.get_body(("plain",)), letter.get_body(("html",))
    assert plain is not None
    assert page is not None

    assert plain.get_content().replace("\r\n", "\n").splitlines() == LONG.text.splitlines()
    assert f'<a href="{LINK}">{LINK}</a>' in page.get_content()
    assert ">123456</strong>" in page.get_content()


def test_letter_passes_a_server_of_seven_bits() -> None:
    raw = sent(Message("ann@example.com", "Grüße", "Schlüssel „Ü“\n" + "ü" * 3_000))

    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"")


@pytest.mark.parametrize(
    "to",
    ["ann@example.com\r\nBcc: eve@x.test", "ann@example.com, eve@x.test", "ann@example.com\n", "", "<a@b.c> d@e.f"],
)
def test_recipient_is_one_address(to: str) -> None:
    with pytest.raises(ValueError):
        sent(Message(to, "A subject", "text"))


def test_subject_is_one_line() -> None:
    with pytest.raises(ValueError):
        sent(Message("ann@example.com", "A subject\r\nBcc: eve@x.test", "text"))


def test_page_makes_nothing_of_what_people_wrote() -> None:
    page = as_html(
        Message(
            "ann@example.com",
            "<b>",
            'A key named "<script>alert(1)</script> https://evil.example" &\n\nhttps://x/"onclick="y',
        )
    )

    assert "<script" not in page
    assert "<title>&lt;b&gt;</title>" in page
    assert 'href="https://evil.example' not in page
    assert 'href="https://x/&quot;onclick=&quot;y"' in page
