"""Letters (.eml) and mailboxes (.mbox): who wrote what to whom, decoded (RFC 5322, RFC 2047, MIME)."""

from __future__ import annotations

import re
from email.message import EmailMessage
from typing import Any

from hds_cli.extract.text import tidy

MAX_MESSAGES = 5000
MAX_PARTS = 200
MAX_CHARACTERS = 8_000_000
_FROM = re.compile(rb"(?m)^From (?=\S{1,400}[ \t]|\S{1,400}$)")
_HEADERS = ("From", "To", "Cc", "Date")


def eml(body: bytes) -> dict[str, Any]:
    """One letter: its subject is the title."""
    message = _parsed(body)
    return {
        "title": _header(message, "Subject"), "author": _header(message, "From") or None, "date": _date(message),
        "text": tidy(_written(message)),
    }  # fmt: skip


def mbox(body: bytes) -> dict[str, Any]:
    """A mailbox: a heading a letter."""
    starts = [
        at
        for at in (match.start() for match in _FROM.finditer(body))
        if body[max(0, at - 3) : at].replace(b"\r", b"")[-2:] in (b"", b"\n\n")
    ]
    blocks: list[str] = []
    size = 0
    for start, end in list(zip(starts, [*starts[1:], len(body)], strict=True))[:MAX_MESSAGES]:
        raw = body[start:end].partition(b"\n")[2]
        message = _parsed(re.sub(rb"(?m)^>(>*From )", rb"\1", raw))
        blocks.append(f"## {_header(message, 'Subject') or '(no subject)'}\n\n{_written(message)}")
        size += len(blocks[-1])
        if size > MAX_CHARACTERS:
            break
    if not blocks:
        raise ValueError("no mailbox")
    return {"title": "", "text": tidy("\n\n".join(blocks))}


def _parsed(body: bytes) -> EmailMessage:
    from email import message_from_bytes, policy

    return message_from_bytes(body, policy=policy.default.clone(max_line_length=None))


def _header(message: EmailMessage, name: str) -> str:
    try:
        return " ".join(str(message.get(name, "")).split())[:1000]
    except (
        ValueError,
        IndexError,
        KeyError,
        AttributeError,
        TypeError,
        LookupError,
    ):  # errors of the library on broken headers
        return ""


def _date(message: EmailMessage) -> str | None:
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(_header(message, "Date")).date().isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _written(message: EmailMessage) -> str:
    head = "\n".join(f"{name}: {value}" for name in _HEADERS if (value := _header(message, name)))
    return "\n\n".join(filter(None, (head, *_bodies(message))))


def _bodies(message: EmailMessage) -> list[str]:
    """The text of a letter: of alternatives the plain one; letters within it; attachments by their names."""
    out: list[str] = []
    stack: list[Any] = [message]
    for _ in range(MAX_PARTS):
        if not stack:
            break
        part = stack.pop()
        kind = part.get_content_type()
        if kind == "multipart/alternative" and isinstance(part.get_payload(), list):
            choices = part.get_payload()
            chosen = next((one for one in choices if one.get_content_type() == "text/plain" and _text(one)), None)
            stack += [chosen] if chosen is not None else list(reversed(choices))[:1]
        elif part.is_multipart() and isinstance(part.get_payload(), list):
            if kind == "message/rfc822" and part is not message:
                inner = part.get_payload()[0]
                out.append(
                    "\n".join(f"{name}: {value}" for name in ("Subject", *_HEADERS) if (value := _header(inner, name)))
                )
            stack.extend(reversed(part.get_payload()[:MAX_PARTS]))
        elif name := part.get_filename():
            out.append(f"Attachment: {' '.join(str(name).split())[:200]}")
        elif kind.startswith("text/"):
            out.append(_text(part))
    return [text for text in out if text]


def _text(part: Any) -> str:
    from hds_cli.extract.charset import decode
    from hds_cli.extract.fragment import shown

    data = part.get_payload(decode=True)
    if not isinstance(data, bytes):
        return ""
    text = decode(data, part.get_content_charset(), markup=part.get_content_subtype() == "html")
    return shown(text) if part.get_content_subtype() == "html" else text.replace("\r\n", "\n").strip()
