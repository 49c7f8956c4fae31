"""Plain-text craft used by collections, evidence and citations alike: folding, cutting, names, BM25, quotes."""

from hds_cli.text.cutting import Cut, cut_passages, size_of, statements
from hds_cli.text.folding import (
    STOPWORDS,
    fold,
    has_words,
    in_pieces,
    indexed,
    lone_letter,
    normalise,
    quote_words,
    segmented,
    terms,
    thinned,
    words,
)
from hds_cli.text.naming import abbreviated, named_in, plain_title
from hds_cli.text.scoring import BM25, overlap
from hds_cli.text.sentences import sentences
from hds_cli.text.snippets import snippet

__all__ = [
    "BM25",
    "STOPWORDS",
    "Cut",
    "abbreviated",
    "cut_passages",
    "fold",
    "has_words",
    "in_pieces",
    "indexed",
    "lone_letter",
    "named_in",
    "normalise",
    "overlap",
    "plain_title",
    "quote_words",
    "segmented",
    "sentences",
    "size_of",
    "snippet",
    "statements",
    "terms",
    "thinned",
    "words",
]
