"""The place in a chat template's text where an answer begins, found without knowing the template.

Two texts are compared: what a template writes between a user's turn and an earlier answer to it, and what it writes
behind the last user's turn to have a new answer written (its generation prompt). A grammar or a forced answer has to
begin where earlier answers begin. Where the generation prompt stops short of that place, as harmony's does, the rest is
added; where it opens a thought, the thought is closed.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Thought(NamedTuple):
    """How a model's thoughts are marked.

    `closing` is the tag at a thought's end, to be used as a stop string; `bridge` leads from the end of a thought to
    the answer, `closing` included.
    """

    closing: str
    bridge: str


class Sample(NamedTuple):
    """What a template writes in a probe: all texts begin where the text of a user's turn ends.

    `before`: up to an earlier answer; None: it does not say. `tail`: the generation prompt. `opening`, `bridge`: up to
    a thought, and from there to the answer; empty: it shows no thoughts. `source`: the template.
    """

    before: str | None
    tail: str
    opening: str = ""
    bridge: str = ""
    source: str = ""


_TAG = r"</?[^<>\s]{1,60}>|\[/?[A-Z][A-Z_]{1,30}\]"
_PARTS = re.compile(rf"{_TAG}|\w+|.", re.DOTALL)
_IS_TAG = re.compile(_TAG)
_EMPTY = re.compile(rf"(\s*(?:{_TAG})(?:\w+\n)?\n?)(.+)", re.DOTALL)
_WORD = re.compile(r"\w+")
_THOUGHT = re.compile(r"think|thought|reason|analy|reflect|inner|scratch", re.IGNORECASE)
_TWINS = (  # the shapes of opening tags, and of the tags that close them
    (re.compile(r"<\|START_(.+)\|>"), r"<|END_\1|>"),
    (re.compile(r"<\|start_of_(.+)\|>"), r"<|end_of_\1|>"),
    (re.compile(r"<\|begin_of_(.+)\|>"), r"<|end_of_\1|>"),
    (re.compile(r"<\|begin_(.+)\|>"), r"<|end_\1|>"),
    (re.compile(r"<\|(.+)_start\|>"), r"<|\1_end|>"),
    (re.compile(r"<\|(.+)_begin\|>"), r"<|\1_end|>"),
    (re.compile(r"<\|(.+)_prefix\|>"), r"<|\1_suffix|>"),
    (re.compile(r"<\|([^|]+)\|>"), r"<|/\1|>"),
    (re.compile(r"<\|([^|]+)>"), r"<\1|>"),
    (re.compile(r"<([^/|].*)>"), r"</\1>"),
    (re.compile(r"\[([^/].*)\]"), r"[/\1]"),
)


def answer_place(tail: str, sample: Sample, *, held: bool) -> str:
    """The generation prompt, made to end where an answer without a thought begins.

    Args:
        tail: the template's generation prompt.
        held: a grammar holds the answer: blanks that stand before an answer belong to the prompt. Free text brings its
            own.
    """
    common, rest, further = _parted(tail, sample.before)
    if not held:
        further = further.rstrip(" ")
    if not rest or _again(common, rest):
        return tail + further
    if _opened(rest):
        return tail + _closed(tail, further, sample)
    if _thoughtful(rest):
        return tail if _thoughtful(further) else tail + further
    return common + further if _is_prose(rest) and sample.before is not None else tail


def thought_place(tail: str, sample: Sample, silent: Sample) -> tuple[str, Thought] | None:
    """The generation prompt, made to end within a thought; None when the model is none that thinks.

    Args:
        tail: the generation prompt of a conversation that may think.
        sample, silent: of conversations that may think, and that are not to.
    """
    common, rest, further = _parted(tail, sample.before)
    if _again(common, rest):
        return None
    if _opened(tail):
        return _within(tail, _closed(tail, further, sample))
    if _is_prose(rest) and sample.bridge and tail.startswith(sample.opening):
        return tail, Thought(sample.bridge.strip(), sample.bridge)
    if rest.strip() or (sample.tail == silent.tail and not further.strip()):
        return None  # it may show thoughts that it is given, but nothing says that it has any of its own
    if sample.bridge and sample.opening.startswith(tail.rstrip()) and len(sample.opening) > len(tail):
        return _within(sample.opening, sample.bridge)
    closed = silent.tail[len(tail) :] if silent.tail.startswith(tail) else ""
    for empty, answer in ((closed, further), (further, "")):  # a thought without words shows how one begins and ends
        if (match := _EMPTY.fullmatch(empty)) and _THOUGHT.search(match[1]):
            return _within(tail + match[1], match[2] + ("" if _thoughtful(answer) else answer))
    return None


def _within(place: str, bridge: str) -> tuple[str, Thought] | None:
    tag = _IS_TAG.search(bridge)
    return (place, Thought(tag[0], bridge)) if tag else None


def _parted(tail: str, before: str | None) -> tuple[str, str, str]:
    """The beginning that two texts share, and what follows on it in either; no tag or word is cut."""
    shared = 0
    for one, other in zip(_PARTS.finditer(tail), _PARTS.finditer(before or ""), strict=False):
        if one[0] != other[0]:
            break
        shared = one.end()
    return tail[:shared], tail[shared:], (before or "")[shared:]


def _again(common: str, rest: str) -> bool:
    """True when `rest` ends as the shared beginning does: in the header of an answer, after a thought of no words."""
    return bool(common) and rest.endswith(common)


def _opened(text: str) -> str:
    """The last tag of `text` that opens a thought and is not closed there; empty: none."""
    opened = ""
    for tag in _IS_TAG.finditer(text):
        word = _WORD.match(text, tag.end())
        if _THOUGHT.search(tag[0] + (word[0] if word else "")) and (twins := _twins(tag[0])):
            opened = "" if any(twin in text[tag.end() :] for twin in twins) else tag[0]
    return opened


def _thoughtful(text: str) -> bool:
    """True when `text` has tags that are about a thought."""
    return bool(_IS_TAG.search(text) and _THOUGHT.search(text))


def _is_prose(text: str) -> bool:
    """True for words without a tag, with which a model may begin to think aloud."""
    return bool(text.strip()) and not _IS_TAG.search(text)


def _closed(tail: str, further: str, sample: Sample) -> str:
    """The text from within the thought that `tail` ends in to the answer: the template's own, or the tag's twin."""
    if sample.bridge and tail.rstrip() == sample.opening.rstrip():
        return sample.bridge
    twins = _twins(_opened(tail))
    twin = next((twin for twin in twins if twin in sample.source), twins[0] if twins else "")
    own_line = tail.rstrip(" ").endswith("\n")
    if twin and further.lstrip().startswith(twin):
        return further
    return f"\n{twin}\n\n{further.lstrip()}" if own_line else twin + further


def _twins(tag: str) -> list[str]:
    """The tags that may close `tag`, the likeliest first; none for a tag that closes or stands alone."""
    if tag.startswith(("</", "[/", "<|/", "<|END_", "<|end_")) or (tag.endswith("|>") and not tag.startswith("<|")):
        return []
    return [match.expand(twin) for shape, twin in _TWINS if (match := shape.fullmatch(tag))]
