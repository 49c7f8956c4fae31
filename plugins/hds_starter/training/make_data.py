"""Make trajectories that teach a small model the searcher's protocol, on the evidence that hds itself retrieves.

    python -m hds_starter.training.make_data --samples 2600 --seed 1 --out train.jsonl --valid valid.jsonl

Questions are written from the facts of countryinfo, in many phrasings; every query is really searched in the
collection `world`, and what the pipeline selects is what the model learns to read. `--factbook CORPUS` adds questions
over the long pages of a `corpus.jsonl` of the World Factbook (public domain), `--questions FOLDER` the questions of a
set (`questions.jsonl` + `corpus.jsonl`), searched in the same way. Countries, questions and phrasings of the validation
part are never trained on. A line is `{"question", "answer", "kind", "steps", "segments"}` with `segments`
`[text, trusted, learned]`; `ids` and `mask` are the same as tokens.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import hds_starter
from hds_cli.engine.llama.model import LlamaEngine
from hds_cli.search.local import Collection, read_jsonl
from hds_cli.types import Document
from hds_starter import world
from hds_starter.training import mined
from hds_starter.training.factbook import FactbookMaker
from hds_starter.training.natural import NaturalMaker, split_rows
from hds_starter.training.trajectory import Player
from hds_starter.training.world_questions import WorldMaker
from hds_train.data import row_of

Weighted = list[tuple[float, Player]]


def split(names: Sequence[str], held_out: int = 50) -> tuple[list[str], list[str]]:
    """Countries to train on and to validate with; the same for every seed."""
    shuffled = sorted(names)
    random.Random(7).shuffle(shuffled)
    return shuffled[held_out:], shuffled[:held_out]


def collections_of(args: argparse.Namespace, folder: Path) -> list[Collection]:
    """The collections that are searched: `world`, `factbook` when it is given, one a question set."""
    opened = [_collection(folder, "world", world.documents())]
    if args.factbook:
        opened.append(_collection(folder, "factbook", read_jsonl(args.factbook, "factbook")))
    return opened + [_collection(folder, p.name, read_jsonl(p / "corpus.jsonl", p.name)) for p in args.questions]


def makers(args: argparse.Namespace, pages: Sequence[Collection], engine: LlamaEngine, *, valid: bool) -> Weighted:
    """The makers of one part, each with its share."""
    names = split(list(world.countries()))[valid]
    seed = 99 if valid else args.seed
    by_name = {collection.name: collection for collection in pages}
    weighted_makers: Weighted = [(args.world_share, WorldMaker(engine, by_name["world"], names, seed, valid=valid))]
    if args.factbook:
        maker = FactbookMaker(engine, by_name["factbook"], names, seed, args.factbook, valid=valid)
        weighted_makers.append((args.factbook_share, maker))
    for place in args.questions:
        corpus = by_name[place.name]
        train, held = split_rows(place / "questions.jsonl")
        rows = held if valid else train
        # A set of a hundred questions must not be seen as often as one of thousands.
        share = args.questions_share * min(1.0, max(0.5, len(rows) / 1000))
        if not valid:
            rows += _mined(place, held, len(rows) // 2)
        weighted_makers.append((share, NaturalMaker(engine, corpus, rows, seed, valid=valid)))
    return weighted_makers


def _mined(place: Path, held: Sequence[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """Questions on what the set's pages state, at most `most`, those of two steps first; none on `held` ones' pages."""
    kept = {title for row in held for title in row["supporting_titles"]}
    pages = ((page.title, page.text) for page in read_jsonl(place / "corpus.jsonl", place.name))
    chance = random.Random(0)
    rows = mined.rows((page for page in pages if page[0] not in kept), chance)
    chance.shuffle(rows)
    return sorted(rows, key=lambda row: row["hops"], reverse=True)[:most]


def _collection(folder: Path, name: str, documents: Iterable[Document]) -> Collection:
    collection = Collection(name, folder, create=True)
    collection.update(documents, "training")
    return collection


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--samples", type=int, default=2600)
    parser.add_argument("--valid-samples", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("train.jsonl"))
    parser.add_argument("--valid", type=Path, default=Path("valid.jsonl"))
    parser.add_argument("--factbook", type=Path, help="corpus.jsonl of the World Factbook")
    parser.add_argument("--questions", type=Path, nargs="*", default=[], metavar="FOLDER", help="question sets")
    parser.add_argument("--world-share", type=float, default=0.35)
    parser.add_argument("--factbook-share", type=float, default=0.4)
    parser.add_argument("--questions-share", type=float, default=0.25)
    parser.add_argument("--missing", type=float, default=0.2, help="questions that are also asked without their pages")
    args = parser.parse_args()
    engine = LlamaEngine(hds_starter.model(), n_ctx=512)
    with tempfile.TemporaryDirectory() as folder:
        pages = collections_of(args, Path(folder))
        for valid, count, out in ((False, args.samples, args.out), (True, args.valid_samples, args.valid)):
            if count:
                _write(makers(args, pages, engine, valid=valid), count, out, args.seed, args.missing)


def _write(weighted: Weighted, count: int, out: Path, seed: int, missing: float) -> None:
    choose, tokens, written = random.Random(seed), 0, 0
    shares, players = [share for share, _ in weighted], [player for _, player in weighted]
    with out.open("w", encoding="utf-8") as file:
        while written < count:
            (player,) = choose.choices(players, shares)
            trajectory = player.make()
            row = player.play(trajectory) if trajectory else None
            if trajectory is None or row is None:
                continue
            rows = [row]
            if trajectory.pages() and choose.random() < missing:
                # The same question where its pages cannot be found: what tells the two apart is what was read.
                trajectory.drop = player.missing(trajectory)
                rows += [row for row in [player.play(trajectory)] if row]
            for row in rows:
                made_row = row_of(row["segments"], player.engine)
                tokens += len(made_row.ids)
                row |= {"ids": made_row.ids, "mask": made_row.mask, "set": player.collection.name}
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
            written += len(rows)
    print(f"{out}: {written} trajectories, {tokens / written:.0f} tokens each")


if __name__ == "__main__":
    main()
