"""The JSON-LD of a page (schema.org): its author and date, and sometimes all of its text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from hds_cli.extract.text import tidy

_MAX_SCRIPT = 2_000_000
_MAX_NODES = 2000
_BODIES = ("articleBody", "text", "reviewBody", "transcript")


def json_ld(tree: Any) -> list[dict[str, Any]]:
    """The objects in the JSON-LD of a page, outer ones first; broken JSON is left out."""
    out: list[dict[str, Any]] = []
    for node in tree.iter("script"):
        kind = (node.get("type") or "").strip().lower()
        if not kind.startswith("application/ld+json") or not node.text or len(node.text) > _MAX_SCRIPT:
            continue
        try:
            stack: list[Any] = [json.loads(node.text.strip().strip(";"), strict=False)]
        except (ValueError, RecursionError):
            continue
        while stack and len(out) < _MAX_NODES:
            item = stack.pop()
            if isinstance(item, list):
                stack.extend(reversed(item[:200]))
            elif isinstance(item, dict):
                out.append(item)
                for name in ("@graph", "mainEntityOfPage", "mainEntity", "hasPart"):
                    if isinstance(item.get(name), list | dict):
                        stack.append(item[name])
    return out


def signature(items: Iterable[dict[str, Any]]) -> dict[str, str]:
    """`author` and `datePublished` of the first objects that have them."""
    signed: dict[str, str] = {}
    for item in items:
        if isinstance(item.get("datePublished"), str):
            signed.setdefault("datePublished", item["datePublished"])
        if name := _person(item.get("author")):
            signed.setdefault("author", name)
    return signed


def _person(value: Any) -> str | None:
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, dict):
        value = value.get("name")
    return value if isinstance(value, str) and value else None


def text_in(items: Sequence[dict[str, Any]]) -> str:
    """The text of the article or the questions and answers among the objects; "" when there is none."""
    bodies = [
        _plain(item[name]) for item in items for name in _BODIES if _is_story(item) and isinstance(item.get(name), str)
    ]
    questions = [block for item in items if "Question" in _types(item) for block in _question(item)]
    steps = [block for item in items if _types(item) & {"Recipe", "HowTo"} for block in _steps(item)]
    whole = max((*bodies, "\n\n".join(questions), "\n\n".join(steps)), key=len, default="")
    if not whole:
        descriptions = (_plain(item["description"]) for item in items if isinstance(item.get("description"), str))
        whole = max((text for text in descriptions if len(text) >= 80), key=len, default="")
    return tidy(whole)


def _types(item: dict[str, Any]) -> set[str]:
    kinds = item.get("@type")
    named = kinds if isinstance(kinds, list) else [kinds]
    return {kind.rpartition("/")[2] for kind in named[:20] if isinstance(kind, str)}


def _is_story(item: dict[str, Any]) -> bool:
    return any(
        kind.endswith(("Article", "Posting", "Report", "WebPage", "Review", "Object", "Work")) for kind in _types(item)
    )


def _question(item: dict[str, Any]) -> list[str]:
    asked = item.get("name") or item.get("text")
    answers = [item.get("acceptedAnswer"), item.get("suggestedAnswer")]
    flat = [one for group in answers for one in (group[:20] if isinstance(group, list) else [group])]
    given = [_plain(one["text"]) for one in flat if isinstance(one, dict) and isinstance(one.get("text"), str)]
    return [f"### {_plain(asked)}", *given] if isinstance(asked, str) and given else []


def _steps(item: dict[str, Any]) -> list[str]:
    blocks = []
    for name in ("recipeIngredient", "supply", "tool", "recipeInstructions", "step"):
        rows = item.get(name)
        texts = [one.get("text") or one.get("name") if isinstance(one, dict) else one for one in _listed(rows)]
        if lines := [f"- {_plain(text)}" for text in texts if isinstance(text, str) and text.strip()]:
            blocks.append("\n".join(lines))
    return blocks


def _listed(value: Any) -> list[Any]:
    return value[:300] if isinstance(value, list) else [value]


def _plain(text: str) -> str:
    """Text that may be HTML."""
    from hds_cli.extract.fragment import shown

    return shown(text) if "<" in text or "&" in text else text.strip()
