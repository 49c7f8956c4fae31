"""Embeddings of passages beside BM25: optional, on this machine, without a network.

The model is WordLlama's table of static word vectors (MIT; 16 MB in its wheel), cut to `DIMENSIONS` and stored as
64 bytes a passage. Ranks are fused (reciprocal rank fusion, Cormack et al. 2009), with so small a share for the
embeddings that they part equals and fill up where BM25 finds too little: a vector says what a text is about, never
whether a name stands in it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from hds_cli.errors import UsageError

DIMENSIONS = 64
SHARE = 0.01  # the largest that lost nothing: 0.015 gains half a point at 10 on musique and loses as much at 5
_RANK = 60
_BATCH = 512
_TABLE = "CREATE TABLE IF NOT EXISTS vectors(cut INTEGER PRIMARY KEY, vector BLOB NOT NULL)"
TRIGGER = "CREATE TRIGGER vectors_gone AFTER DELETE ON cuts BEGIN DELETE FROM vectors WHERE cut = old.id; END"
_MISSING = """
SELECT cuts.id, docs.title, cuts.heading, cuts.text FROM cuts JOIN docs ON docs.id = cuts.doc
LEFT JOIN vectors ON vectors.cut = cuts.id WHERE docs.pending = 0 AND vectors.cut IS NULL ORDER BY cuts.id LIMIT ?
"""


class Embedder(Protocol):
    """Texts to vectors."""

    name: str

    def __call__(self, texts: Sequence[str]) -> Any:
        """One row of float32 a text, of length 1 each (or 0 for a text without a known word)."""


class WordLlama:
    """The embedder of the extra `embed`.

    Raises:
        UsageError: it is not installed.
    """

    name = f"wordllama l2_supercat {DIMENSIONS}"

    def __init__(self) -> None:
        try:
            import wordllama
        except ImportError as exc:
            raise UsageError("embeddings are not installed", hint='pip install "hds-cli[embed]"') from exc
        # The wheel holds the tokenizer, in a place where the library finds it only as its cache folder.
        inside = Path(wordllama.__file__).parent
        self._model = wordllama.WordLlama.load(trunc_dim=DIMENSIONS, cache_dir=inside, disable_download=True)

    def __call__(self, texts: Sequence[str]) -> Any:
        import numpy as np

        vectors = np.asarray(self._model.embed(list(texts)), dtype=np.float32)
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def write(db: sqlite3.Connection, embedder: Embedder, on_passage: Callable[[int], None] | None = None) -> int:
    """Give every passage without a vector its vector, a batch a transaction; returns the number of vectors made."""
    import numpy as np

    db.execute(_TABLE)
    db.execute(TRIGGER.replace("TRIGGER", "TRIGGER IF NOT EXISTS", 1))
    row = db.execute("SELECT value FROM meta WHERE key = 'embedder'").fetchone()
    if row and row[0] != embedder.name:
        db.execute("DELETE FROM vectors")
    db.execute("INSERT OR REPLACE INTO meta VALUES('embedder', ?)", (embedder.name,))
    done = 0
    while rows := db.execute(_MISSING, (_BATCH,)).fetchall():
        vectors = np.round(embedder([f"{title}. {heading}. {text}" for _, title, heading, text in rows]) * 127)
        db.execute("BEGIN IMMEDIATE")
        db.executemany(
            "INSERT OR REPLACE INTO vectors VALUES(?, ?)",
            [(row[0], vector.astype(np.int8).tobytes()) for row, vector in zip(rows, vectors, strict=True)],
        )
        db.execute("COMMIT")
        done += len(rows)
        if on_passage:
            on_passage(done)
    return done


class Vectors:
    """The vectors of a collection in memory."""

    def __init__(self, db: sqlite3.Connection) -> None:
        import numpy as np

        rows = db.execute(
            "SELECT vectors.cut, cuts.doc, vectors.vector FROM vectors JOIN cuts ON cuts.id = vectors.cut "
            "JOIN docs ON docs.id = cuts.doc WHERE docs.pending = 0 ORDER BY vectors.cut"
        ).fetchall()
        self._cuts = [row[0] for row in rows]
        self._docs = [row[1] for row in rows]
        self._table = np.frombuffer(b"".join(row[2] for row in rows), dtype=np.int8).reshape(len(rows), -1)

    def nearest(self, vector: Any, number: int) -> list[tuple[int, int]]:
        """The `number` nearest documents with their nearest passage: (document, passage), nearest first."""
        import numpy as np

        if not self._cuts:
            return []
        # In pieces: the whole table as floats would take four times its size.
        pieces = np.array_split(self._table, len(self._cuts) // 65536 + 1)
        scores = np.concatenate([piece.astype(np.float32) @ vector for piece in pieces])
        most = min(len(scores), 8 * number)
        places = np.argpartition(-scores, most - 1)[:most]
        by_document: dict[int, int] = {}
        for place in sorted(places.tolist(), key=lambda n: (-float(scores[n]), n)):
            by_document.setdefault(self._docs[place], self._cuts[place])
        return list(by_document.items())[:number]


def fused(ranked: Sequence[int], near: Sequence[int], share: float = SHARE) -> list[int]:
    """Documents by both ranks; without `near` the order of `ranked`."""
    points: dict[int, float] = {}
    for order, weight in ((ranked, 1.0), (near, share)):
        for rank, doc in enumerate(order, 1):
            points[doc] = points.get(doc, 0.0) + weight / (_RANK + rank)
    place = {doc: n for n, doc in enumerate([*ranked, *near])}
    return sorted(points, key=lambda doc: (-points[doc], place[doc]))
