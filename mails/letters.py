"""A mail as it travels: headers, plain text, and the same text as simple HTML."""

import html
import re
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from kit import clock
from models import Message

# Seven bits, so that it passes servers that know no 8BITMIME.
POLICY = SMTP.clone(cte_type="7bit")

_LINK = re.compile(r"https?://\S+")
_CODE = re.compile(r"[0-9]{6}")
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="referrer" content="no-referrer"><title>{title}</title></head>
<body style="font-family: sans-serif; line-height: 1.5; max-width: 40em">
{body}
</body></html>
"""


def compose(message: Message, *, sender: str, mail_id: str) -> EmailMessage:
    """The letter. Raises ValueError where a header would not be one line.

    A mail has one Message-ID for ever: at-least-once may mean twice, and mail programs show it once.
    """
    name, address = parseaddr(sender)
    letter = EmailMessage(policy=POLICY)
    letter["From"] = Address(name, addr_spec=address)
    letter["To"] = _one_address(message.to)
    letter["Subject"] = message.subject
    letter["Date"] = format_datetime(clock.now())
    letter["Message-ID"] = f"<{mail_id}@{address.rpartition('@')[2]}>"
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(message.text)
    letter.add_alternative(as_html(message), subtype="html")
    return letter


def _one_address(text: str) -> Address:
    """SECURITY: no text in it becomes a name or a second recipient (ASVS 1.3.11). Raises ValueError."""
    if not re.fullmatch(r"[^\s<>(),;:@\"]+@[^\s<>(),;:@\"]+", text):
        raise ValueError("not one plain address")
    return Address(addr_spec=text)


def as_html(message: Message) -> str:
    """The text as a page: paragraphs, and what stands on a line of its own as a link or a large code."""
    paragraphs = re.split(r"\n{2,}", message.text.strip())
    body = "\n".join(f"<p>{'<br>'.join(map(_line, paragraph.splitlines()))}</p>" for paragraph in paragraphs)
    return _PAGE.format(title=html.escape(message.subject), body=body)


def _line(line: str) -> str:
    # SECURITY: all is escaped, and only a whole line becomes a link: names and agents stand within lines.
    text = html.escape(line)
    if _LINK.fullmatch(line):
        return f'<a href="{text}">{text}</a>'
    if _CODE.fullmatch(line):
        return f'<strong style="font-size: 1.6em; letter-spacing: 0.2em">{text}</strong>'
    return text
