"""The HTML of a book's article, ready for the extractor."""

from __future__ import annotations

import re

_BODY = re.compile(rb"<body\b[^<>]*>", re.I)
_MARKED = re.compile(rb"<(?:article|main)\b", re.I)


def marked(body: bytes) -> bytes:
    """The page with its body marked as the article, unless it marks one itself.

    A book's page is the article and nothing else; the extractor, made for pages of the web, takes the paragraphs of a
    page that marks nothing and leaves its headings.
    """
    if _MARKED.search(body):
        return body
    body_tag = _BODY.search(body)
    return body if body_tag is None else body[: body_tag.end()] + b"<article>" + body[body_tag.end() :]
