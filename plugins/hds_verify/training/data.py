"""The claims that the verifier is trained on: passages, hand-written claims about them, and the text of both.

`claims.txt` holds blocks: a line `#SET/ID START+LENGTH` (characters of that document's text) or `#ID` (a passage of
`own.jsonl`), then a line for each claim: `S kind: claim` (supported), `C` (contradicted) or `N` (not said).
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hds_verify import LABELS as ANSWERS
from hds_verify.evaluate import LABELS as NAMES
from hds_verify.evaluate import rows_of
from hds_verify.training.turns import turned

LABELS = dict(zip(NAMES, ANSWERS, strict=True))
HERE = Path(__file__).parent
_SHORT = {"S": "supported", "C": "contradicted", "N": "absent"}


@dataclass(frozen=True)
class Claim:
    """A claim, what a passage says about it, and the kind of its making (paraphrase, swap, order, ...)."""

    text: str
    label: str
    kind: str


@dataclass(frozen=True)
class Group:
    """A passage and the claims about it."""

    id: str
    title: str
    text: str
    claims: list[Claim] = field(default_factory=list)


def read_jsonl(claims: Path, passages: Path) -> list[Group]:
    """The groups of a pair of JSONL files, in the order of the passages."""
    groups = {row["id"]: Group(row["id"], row["title"], row["text"]) for row in rows_of(passages)}
    for row in rows_of(claims):
        groups[row["id"]].claims.append(Claim(row["claim"], row["label"], row["kind"]))
    return [group for group in groups.values() if group.claims]


def read_blocks(data: Path) -> list[Group]:
    """The groups of `claims.txt`; `data` is the folder of the question sets whose documents they are about."""
    own = {row["id"]: row for row in rows_of(HERE / "own.jsonl")}
    documents: dict[str, dict[str, Any]] = {}
    groups: list[Group] = []
    for line in (HERE / "claims.txt").read_text("utf-8").splitlines():
        if line.startswith("#"):
            name, _, place = line[1:].partition(" ")
            groups.append(_own(own[name]) if not place else _cut(name, place, documents, data))
        else:
            kind, _, claim = line[2:].partition(": ")
            groups[-1].claims.append(Claim(claim, _SHORT[line[0]], kind))
    return groups


def _own(row: dict[str, Any]) -> Group:
    return Group(row["id"], row["title"], row["text"])


def _cut(name: str, place: str, documents: dict[str, dict[str, Any]], data: Path) -> Group:
    folder, _, _ = name.partition("/")
    if name not in documents:
        documents |= {f"{folder}/{row['id']}": row for row in rows_of(data / folder / "corpus.jsonl")}
    start, length = map(int, place.split("+"))
    row = documents[name]
    return Group(name, row["title"], row["text"][start : start + length])


def split(handed: Sequence[Group], ours: Sequence[Group], held: int = 40) -> tuple[list[Group], list[Group]]:
    """What is trained on, and `held` passages of each that are not, on which thresholds are tuned."""
    order = random.Random(7)
    ours, handed = list(ours), list(handed)
    order.shuffle(ours)
    order.shuffle(handed)
    return handed[held:] + ours[held:], handed[:held] + ours[:held]


def write_jsonl(groups: Sequence[Group], claims: Path, passages: Path) -> None:
    """The groups as the pair of files that `hds_verify.evaluate` reads."""
    rows = [{"id": g.id, "claim": c.text, "label": c.label, "kind": c.kind} for g in groups for c in g.claims]
    texts = [{"id": g.id, "title": g.title, "text": g.text} for g in groups]
    for path, lines in ((claims, rows), (passages, texts)):
        path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), "utf-8")


def beginning(group: Group, before: str = "", after: str = "") -> str:
    """The text that all claims of a passage share."""
    return f"Passage: {group.title}. {before}{group.text}{after}\nClaim:"


def ending(claim: Claim) -> str:
    """The text of a claim after that of its passage."""
    return f" {claim.text}\nDoes the passage say so?"


def turns(group: Group, rng: random.Random) -> list[Claim]:
    """At most one claim made by rule of each label, and none that stands there already."""
    have = {claim.text for claim in group.claims}
    passage = f"{group.title} {group.text}"
    made = [Claim(*one) for claim in group.claims for one in turned(claim.text, claim.label, passage, rng)]
    rng.shuffle(made)
    return list({claim.label: claim for claim in made if claim.text not in have}.values())


def varied(
    groups: Sequence[Group], rng: random.Random, share: float = 0.15, rules: float = 0.6
) -> list[tuple[Group, str, str]]:
    """One epoch's groups, shuffled, each with text before and after its passage.

    Half of them get a claim of another passage, which is not said; a part `rules` of them claims made by rule; a
    `share` of the short ones a neighbour's text.
    """
    out = []
    for group in rng.sample(list(groups), len(groups)):
        other = rng.choice(groups)
        claims = rng.sample(group.claims, len(group.claims))
        if other is not group and rng.random() < 0.5:
            claims.append(Claim(rng.choice(other.claims).text, "absent", "stray"))
        if rng.random() < rules:
            claims += turns(group, rng)
        before = after = ""
        if rng.random() < share and len(group.text) < 700:
            near = rng.choice(groups).text[:500]
            before, after = (near + "\n", "") if rng.random() < 0.5 else ("", "\n" + near)
        out.append((Group(group.id, group.title, group.text, claims), before, after))
    return out
