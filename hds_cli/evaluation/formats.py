"""One function a format: a row of a question set's file as a `Question`.

A row that does not fit raises `KeyError`, `TypeError` or `ValueError`; `datasets` names its line.
"""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hds_cli.evaluation.questions import Question, Step, Support, as_text
from hds_cli.evaluation.sealed import opened

Row = Mapping[str, Any]
_FAN_OUT_TYPE = "fan-out"
_SEAL = "BrowseComp-50"


@dataclass(frozen=True)
class Format:
    """A known format: its name, how a row is recognised, and how it is read (`place` counts rows from 1)."""

    name: str
    fits: Callable[[Row], bool]
    read: Callable[[Row, int], Question]


def _text(value: Any) -> str:
    """A text that must be there."""
    if not isinstance(value, str | int | float) or not str(value).strip():
        raise ValueError(f"an empty or missing text ({value!r})")
    return str(value).strip()


def _id(row: Row, place: int) -> str:
    value = row.get("id", row.get("_id", row.get("qid")))
    return str(value) if value not in (None, "") else str(place)


def _titles(titles: Any) -> tuple[Support, ...]:
    return tuple(Support(title=str(title)) for title in dict.fromkeys(titles or ()))


def _plain(row: Row, place: int) -> Question:
    raw = row.get("answer")
    answers = tuple(as_text(a) for a in row.get("answers") or ([raw] if raw is not None else []))
    if not answers:
        raise ValueError("neither answers nor an answer")
    structured = raw if isinstance(raw, dict | list) else None
    structure = structured if structured is not None else list(answers) if row.get("all_answers_wanted") else None
    structure = list(answers) if str(row.get("type", "")).startswith("set-") else structure
    references = answers if structure is None else (as_text(structure),)
    steps = tuple(
        Step(_text(s["question"]), as_text(s.get("answer", "")), str(s.get("title", "")))
        for s in row.get("decomposition") or ()
    )
    return Question(
        _id(row, place), _text(row["question"]), references,
        gold=(raw,) if structured is not None else references, wanted=structure,
        fan_out=row.get("type") == _FAN_OUT_TYPE, tolerance=row.get("tolerance"), kind=str(row.get("type", "")),
        support=_titles(row.get("supporting_titles")), steps=steps,
    )  # fmt: skip


def _musique(row: Row, place: int) -> Question:
    answers = (_text(row["answer"]), *(str(a) for a in row.get("answer_aliases") or ()))
    paragraphs = row.get("paragraphs") or ()
    titles = {p.get("idx", n): p["title"] for n, p in enumerate(paragraphs)}
    support = _titles(p["title"] for p in paragraphs if p.get("is_supporting"))
    steps = tuple(
        Step(_text(s["question"]), as_text(s.get("answer", "")), titles.get(s.get("paragraph_support_idx"), ""))
        for s in row.get("question_decomposition") or ()
    )
    return Question(_id(row, place), _text(row["question"]), answers, answers, kind=_id(row, place).split("_")[0],
                    support=support, steps=steps)  # fmt: skip


def _fanoutqa(row: Row, place: int) -> Question:
    raw = row["answer"]
    known = _literal(raw)
    supports = row.get("necessary_evidence") or [e for s in row.get("decomposition") or () for e in _evidence(s)]
    support = tuple(dict.fromkeys(Support(str(e.get("title", "")), str(e.get("url", ""))) for e in supports))
    steps = tuple(
        Step(_text(s["question"]), as_text(s.get("answer", "")), str((s.get("evidence") or {}).get("title", "")))
        for s in row.get("decomposition") or ()
    )
    structure = known if isinstance(known, dict | list) else None
    return Question(_id(row, place), _text(row["question"]), (as_text(known),), (raw,), structure, fan_out=True,
                    kind=type(known).__name__, support=support, steps=steps)  # fmt: skip


def _literal(value: Any) -> Any:
    """The list or dictionary that a text is the Python form of; anything else as it is."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        with contextlib.suppress(ValueError, SyntaxError, MemoryError, RecursionError):
            return ast.literal_eval(value.strip())
    return value


def _evidence(step: Row) -> list[Row]:
    own = [step["evidence"]] if step.get("evidence") else []
    return own + [e for s in step.get("decomposition") or () for e in _evidence(s)]


def _frames(row: Row, place: int) -> Question:
    links = row.get("wiki_links") or [v for k, v in row.items() if str(k).startswith("wikipedia_link") and v]
    links = _literal(links)
    if isinstance(links, str):
        links = re.findall(r"https?://[^\s'\"\]]+?(?=,?[\s'\"\]]|,http|$)", links)
    support = tuple(Support(url=str(link).strip()) for link in dict.fromkeys(links))
    answer = _text(row.get("Answer", row.get("answer")))
    name = _id(row, place) if "id" in row else str(row.get("") or row.get("Unnamed: 0") or place)
    prompt = next((row[name] for name in ("Prompt", "prompt", "question", "Question") if name in row), None)
    return Question(name, _text(prompt), (answer,), (answer,), kind=str(row.get("reasoning_types") or ""),
                    support=support)  # fmt: skip


def _medbrowsecomp(row: Row, place: int) -> Question:
    gold = row.get("answer", row.get("gold"))
    answer = "NA" if gold in (None, "") else as_text(gold)
    kind = str(row.get("task_name") or row.get("title") or "")
    return Question(_id(row, place), _text(row.get("question") or row["prompt"]), (answer,), (gold or None,), kind=kind)


def _browsecomp(row: Row, place: int) -> Question:
    if "Question" in row:  # the searcher's authors keep fifty of them in the clear; what is stored here is sealed
        question, answer = _text(row["Question"]), _text(row["Answer"])
        return Question(_id(row, place), question, (answer,), (answer,), key=_SEAL)
    canary = _text(row["canary"])
    question, answer = opened(_text(row["problem"]), canary), opened(_text(row["answer"]), canary)
    kind = str(row.get("problem_topic") or "")
    return Question(_id(row, place), question, (answer,), (answer,), kind=kind, key=canary)


def _hotpotqa(row: Row, place: int) -> Question:
    facts = row["supporting_facts"]
    titles = facts["title"] if isinstance(facts, Mapping) else [fact[0] for fact in facts]
    answer = _text(row["answer"])
    return Question(_id(row, place), _text(row["question"]), (answer,), (answer,), kind=str(row.get("type", "")),
                    support=_titles(titles))  # fmt: skip


def _simpleqa(row: Row, place: int) -> Question:
    answer = _text(row["answer"])
    links = _links(row.get("metadata")) or _links(row)
    support = tuple(Support(url=link) for link in dict.fromkeys(links))
    return Question(_id(row, place), _text(row["problem"]), (answer,), (answer,), support=support)


def _links(metadata: Any) -> list[str]:
    if isinstance(metadata, str):
        try:
            metadata = ast.literal_eval(metadata)
        except (ValueError, SyntaxError):
            return []
    urls = metadata.get("urls") if isinstance(metadata, Mapping) else None
    return [u.strip() for u in (urls.split(",") if isinstance(urls, str) else urls or ())]


def _is_bare_fan_out(row: Row) -> bool:
    """True for FanOutQA as the searcher's authors keep it: nothing but id, question, and a list or dictionary."""
    return set(row) == {"id", "question", "answer"} and isinstance(_literal(row["answer"]), dict | list)


def _has(*names: str) -> Callable[[Row], bool]:
    return lambda row: all(name in row for name in names)


FORMATS: tuple[Format, ...] = (
    Format("frames", lambda row: {"Prompt", "Answer"} <= set(row) or "wiki_links" in row, _frames),
    Format("browsecomp", lambda row: {"problem", "answer", "canary"} <= set(row) or {"Question", "Answer"} <= set(row),
           _browsecomp),
    Format("simpleqa", _has("problem", "answer"), _simpleqa),
    Format("musique", lambda row: "question_decomposition" in row or "answer_aliases" in row, _musique),
    Format("2wiki", _has("question", "answer", "supporting_facts", "evidences"), _hotpotqa),
    Format("hotpotqa", _has("question", "answer", "supporting_facts"), _hotpotqa),
    Format("medbrowsecomp", lambda row: ("task_name" in row and "question" in row) or {"prompt", "gold"} <= set(row),
           _medbrowsecomp),
    Format("fanoutqa", lambda row: "necessary_evidence" in row or ("answers" not in row and "decomposition" in row)
           or _is_bare_fan_out(row), _fanoutqa),
    Format("plain", _has("question"), _plain),
)  # fmt: skip
