"""What is no page."""

from __future__ import annotations

from typing import Any


def why_no_page(tree: Any, markup: str, title: str, body: str) -> str:
    return ""
