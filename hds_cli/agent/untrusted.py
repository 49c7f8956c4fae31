"""Text of strangers as it may stand in a prompt, and the model's own text after it."""

from __future__ import annotations

import re
import unicodedata

from hds_cli import code
from hds_cli.text import thinned

_INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_TAG = re.compile(
    r"<(?=\s*[|/!]|\w)|(?<=\|)\s*>|(?<!\\)\\+\s*(?=boxed|text\s*\{)"
    r"|\[(?=\s*(?:/\s*)?(?:INST|SYS|SYSTEM_PROMPT|MODEL_SETTINGS|AVAILABLE_TOOLS|TOOL_\w{1,9}|CALL_ID|ARGS|THINK|IMG)\b)",
    re.IGNORECASE,
)
_MARK = re.compile(r"\[([^\S\n]{0,3}\d{1,6}[^\S\n]{0,3})\]")  # a number of a passage, as only results may have it
_NUMBERED = re.compile(r"\[(?=\s*\d+\s*\])")
_SIGNS = str.maketrans("‹›", "<>")
_SUBSTITUTE = {"<": "‹", ">": "›", "[": "("}


def neutral(text: str) -> str:
    """Untrusted text as it may stand in a prompt: no marker, chat token, think tag, passage number or box in it.

    NFKC comes first: a full-width `＜|im_end|＞` becomes a real one only there. Invisible and control characters go,
    and piles of combining marks, on which NFKC takes time with their square.
    """
    text = CONTROL.sub(" ", _INVISIBLE.sub("", unicodedata.normalize("NFKC", thinned(text))))
    text = code.changed(text, _without_numbers, _with_indexes)
    return _TAG.sub(lambda m: _SUBSTITUTE.get(m[0].strip(), ""), text)


def _without_numbers(text: str) -> str:
    return _NUMBERED.sub("(", _MARK.sub(r"(\1)", text))


def _with_indexes(part: str) -> str:
    """Fenced code keeps its indexes, `rows[ 1 ]` for `rows[1]`: no number of a passage has blanks."""
    closed = len(part) > 6 and part.startswith(("```", "~~~")) and part.endswith(part[:3])
    return _MARK.sub(lambda m: f"[ {m[1].strip()} ]", part) if closed else _without_numbers(part)


def restored(written: str) -> str:
    """Code as a model wrote it after what it had read, with the signs that `neutral` had changed there."""
    return written.translate(_SIGNS)
