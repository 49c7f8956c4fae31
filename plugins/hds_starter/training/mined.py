"""Questions on what the first sentences of natural pages state: who directed a film, when somebody was born.

The patterns are of the kind of Hearst (1992), strict rather than many: the sentence must name its page.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from typing import Any

from hds_cli.text import sentences
from hds_starter.training.trajectory import MAX_SENTENCE, called

_WORD = r"(?:[A-Z][\w’'-]+|[A-Z]\.)"
_NAME = rf"({_WORD}(?: (?:of |the |de |von |van |da |and )?{_WORD}){{0,4}})"
_MONTH = "(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_DATE = rf"({_MONTH} \d{{1,2}}, \d{{4}}|\d{{1,2}} {_MONTH} \d{{4}})"
_WHEN = rf"((?:{_MONTH} )?(?:\d{{1,2}}, )?[12]\d{{3}})"
_ARTIST = r"(?:the )?(?:\S+ ){0,4}?(?:singer|band|artist|group|rapper|musician|duo|songwriter)s?(?: and \w+)?,? "

# What it is called when something else is asked about it, how it is stated, and how it is asked for.
_RELATIONS: list[tuple[str, str, tuple[str, ...]]] = [
    ("the director of {}", rf"directed by {_NAME}", ("Who directed {}?", "Who is the director of {}?", "director of {}")),
    ("the writer of {}", rf"(?<!and )(?:written|novel|play|book|poem) by {_NAME}", ("Who wrote {}?", "Who is the writer of {}?")),
    ("the performer of {}", rf"(?:song|album|single|EP)\b(?: (?!by)[\w-]+){{0,4}} by {_ARTIST}{_NAME}",
     ("Who sang {}?", "Who is the performer of {}?", "{} was recorded by whom?")),
    ("the star of {}", rf"(?:starring|stars) {_NAME}", ("Who starred in {}?", "who stars in {}")),
    ("the founder of {}", rf"founded (?:in \d+ )?by {_NAME}", ("Who founded {}?", "Who is the founder of {}?")),
    ("the creator of {}", rf"created by {_NAME}", ("Who created {}?", "Who is the creator of {}?")),
    ("", rf"born (?:[A-Z][\w ]+[;,] )?(?:on )?{_DATE}", ("When was {} born?", "On what date was {} born?", "{} was born when?")),
    ("", rf"born (?:and raised )?in ({_WORD}(?:,? {_WORD})?)", ("Where was {} born?", "In what city was {} born?", "birthplace of {}")),
    ("", rf"released (?:on|in) {_WHEN}", ("When was {} released?", "when did {} come out")),
    ("", rf"(?:founded|established|formed) in {_WHEN}", ("When was {} founded?", "What year was {} established?")),
    ("", rf"located in ((?:the )?{_WORD}(?:,? (?:of )?{_WORD}){{0,3}})", ("Where is {} located?", "where is {}")),
]  # fmt: skip
_NO_NAME = re.compile(r"(?:ian|ican|ish|ese|Records|French|German|Dutch|Greek|Swiss)$")
_SENTENCES = 4


def rows(pages: Iterable[tuple[str, str]], chance: random.Random) -> list[dict[str, Any]]:
    """Questions of one step, and of two where a page names another one that states something too.

    Args:
        pages: title and text of the pages that may be trained on.
    """
    known = {title: _stated(called(title), text) for title, text in pages}
    by_name = {called(title): title for title, facts in known.items() if facts}
    mined = []
    for title, facts in known.items():
        for place, value in facts.items():
            noun, _, asked = _RELATIONS[place]
            first = chance.choice(asked).format(called(title))
            mined.append(_row(first, "mined", [(first, value, title)]))
            if not noun or by_name.get(value, title) == title:
                continue
            for then, last in known[by_name[value]].items():
                asked = _RELATIONS[then][2]
                whole = chance.choice(asked).format(noun.format(called(title)))
                parts = [(first, value, title), (chance.choice(asked).format(value), last, by_name[value])]
                mined.append(_row(whole, "mined-bridge", parts))
    return mined


def _stated(name: str, text: str) -> dict[int, str]:
    """The first value of each relation in the sentences that say whom they are about."""
    by_place: dict[int, str] = {}
    for sentence in sentences(text)[:_SENTENCES]:
        if len(sentence) > MAX_SENTENCE or not (name in sentence or name.split()[-1] in sentence):
            continue
        for place, (_, pattern, _) in enumerate(_RELATIONS):
            if (match := re.search(pattern, sentence)) and not _NO_NAME.search(match[1]):
                by_place.setdefault(place, match[1])
    return by_place


def _row(question: str, kind: str, parts: list[tuple[str, str, str]]) -> dict[str, Any]:
    return {
        "question": question, "type": kind, "hops": len(parts), "answers": [parts[-1][1]],
        "supporting_titles": [title for _, _, title in parts],
        "decomposition": [{"question": q, "answer": a, "title": t} for q, a, t in parts] if len(parts) > 1 else [],
    }  # fmt: skip
