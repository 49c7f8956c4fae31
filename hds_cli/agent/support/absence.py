"""Statements that something was not found: `The pages do not say when it was built.` No page can say them.

They tell of the pages or of the search, never of the world: `The wreck was not found` is a claim. One that says more
than that (`…, but it was built in 1951`, `… that it was built in 1932 by Krahe`) is a claim, too.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Literal, NamedTuple

from hds_cli.agent.support.values import Value, same, values
from hds_cli.agent.support.words import content_stems, is_denial, words
from hds_cli.text import fold

_MOST_WORDS = 60  # of such a statement
_MOST = 600  # characters of one


def _folded(text: str) -> frozenset[str]:
    return frozenset(words(text))


_NOUNS = _folded(  # with a capital in German
    "Seite Seiten Quelle Quellen Textstelle Textstellen Dokument Dokumente Dokumenten Treffer Artikeln Suche "
    "Suchergebnisse Suchergebnissen"
)
_SOURCES = _NOUNS | _folded(
    "page pages source sources passage passages document documents text texts article articles results search searches "
    "passages sources résultats recherche recherches textes página páginas fuente fuentes pasaje pasajes "
    "resultados documentos búsqueda búsquedas textos "
    "pagina pagine fonte fonti brani documenti risultati fontes bronnen bron resultaten pagina's passages "
    "страницы страницах страница источники источниках источник отрывки отрывках"
)
_SAYS = _folded(
    "say says said state states stated mention mentions mentioned give gives given name names named list lists listed "
    "tell tells specify specifies specified report reports contain contains provide provides include includes indicate "
    "indicates cover covers answer answers show shows explain explains describe describes find found return returned "
    "silent sagen sagt nennen nennt genannt erwähnen erwähnt geben gibt angegeben steht enthalten enthält gefunden "
    "finden belegen belegt zeigen zeigt erklären erklärt verraten ergab disent dit mentionnent mentionne indiquent "
    "indique précisent précise donnent donne trouvé trouve contiennent dicen dice mencionan menciona indican indica "
    "dan da encontrado encontraron encontró contienen especifican figura consta aparece dicono menzionano indicano "
    "riportano trovato contengono dizem mencionam indicam encontrado contêm zeggen zegt vermelden vermeldt noemen "
    "noemt gevonden bevatten говорят сообщают указано указывают упоминают упоминается найдено содержат"
)
_TOLD = _folded(
    "information info mention details figure figures number answer angabe angaben information informationen auskunft "
    "erwähnung zahl zahlen informations renseignement renseignements chiffre información mención datos dato cifra "
    "cifras informazioni informação informações informatie"
)
_FINDERS = frozenset({"i", "we", "ich", "wir", "je", "jai", "nous"})
_FINDS = _folded("find found locate see finden gefunden trouvé trouve trouver pu")
_FOUND_NOTHING = re.compile(
    r"no (?:lo |la |se |he |hemos |pude |pudimos ){0,4}(?:encontr|hall)\w*|non ho trovato|nao encontrei"
)
_INFORMATION = re.compile(
    r"(?:there (?:is|was|are|were) )?no (?:\w+ )?(?:information|mention|details)\b.{0,200}\bfound"
    r"|(?:es wurden? )?keine (?:\w+ )?(?:angaben?|informationen|details)\b.{0,200}\bgefunden"
    r"|aucune? (?:information|mention|precision)\b.{0,200}\btrouve"
)
_BARE = re.compile(
    r"(?:(?:was|is|are|were|wurde|ist) )?"
    r"(?:not (?:found|stated|given|mentioned|specified|available|named|listed|said|reported)"
    r"|none found|no (?:data|information|figure|value)(?: (?:found|given|available))?|unknown|n/a|n\.a|k\.a"
    r"|nicht (?:gefunden|angegeben|genannt|bekannt|verfugbar|erwahnt)|keine angaben?|unbekannt"
    r"|non (?:trouvee?|indiquee?|precisee?|mentionnee?|disponible)|inconnue?"
    r"|no (?:encontrad[oa]|indicad[oa]|especificad[oa]|mencionad[oa]|disponible|consta)|desconocid[oa]|sin datos"
    r"|non trovat[oa]|non indicat[oa]|nao encontrad[oa]|niet gevonden|niet vermeld|не найдено|не указано)"
    r"(?: (?:in|on|by|auf|von|dans|par|sur|en|nelle|nas) "
    r"(?:(?:any|one|all|of|the|these|den|diesen|les|ces|las|los|estas) ){0,4}"
    r"(?P<where>\w+)(?: (?:read|found|gelesen|lues|leidas))?)?"
)
_TURNS = _folded(
    "but however although though yet only because aber jedoch doch nur sondern weil mais seulement parce pero sino "
    "solo porque ma però soltanto perché mas apenas maar alleen want но однако только"
)
_GOES_ON = re.compile(
    r"[;:—–]\s|\s-\s|[,.]\s+(?:and\s+|und\s+|et\s+|y\s+)?(?:it|he|she|they|this|that|these|those|which|who|whose|whom|there"
    r"|es|er|sie|dies|diese[rs]?|il|elle|ils|elles|ce|cela|lo|ella|él|ellos|que|der|die|das)\b"
    r"|\b(?:and|und|et|y)\s+(?:it|he|she|they|er|es|sie|il|elle|ella|él)\b",
    re.IGNORECASE,
)
_THAT = re.compile(r"\b(?:that|dass|daß|que|qu['’]|che|dat|что)\b(?!\s+question)", re.IGNORECASE)
_ASKS = _folded(
    "who whom what when where which how why whether if wer wen was wann wo welche welcher welches wie warum ob qui "
    "quand quel quelle comment pourquoi si quién qué cuándo dónde cuál cómo"
)
_LIMITS = re.compile(
    r"(?:^|\s)(?!\w*ed\s)\S+\s+(?:in|for|since|after|before|im Jahr|für|seit|ab|en|pour|depuis|para|desde)\s+$"
)
_OF = re.compile(r"\s(?:of|for|de|du|des|der|von|nach|del|della)\s", re.IGNORECASE)
_NOUN = re.compile(r"[^\W\d_]+")
_SOUGHT = re.compile(
    r"\b(?:(?P<who>who|whom|wer|wen|qui|quién)|(?P<much>how (?:many|much|long|old|far|high|tall|often)"
    r"|wie (?:viele?|lange|alt|hoch|weit|oft))|(?P<when>when|wann|quand|cuándo))\b",
    re.IGNORECASE,
)
_KINDS: dict[str, Literal["name", "number", "date"]] = {"who": "name", "much": "number", "when": "date"}
_LABEL = re.compile(r"[^:：]{1,80}[:：]\s")


class Sought(NamedTuple):
    """What a statement says that no page tells: a name, a number, a date, and the stems of what it is of."""

    kind: Literal["name", "number", "date"]
    stems: frozenset[str]


def sought(text: str) -> Sought | None:
    """What is not told by a statement that `says_absent`; None: it is not put as a question of two words or more.

    Example: `The pages do not say how long the dough rests` of a number, the dough and rests.
    """
    match = _SOUGHT.search(text[:_MOST])
    if match is None or match.lastgroup is None:
        return None
    stems = frozenset(_content(text[match.end() :]))
    return Sought(_KINDS[match.lastgroup], stems) if len(stems) > 1 else None


def says_absent(text: str, question: str) -> bool:
    """True for a statement that the pages do not say something, with no value that the question has not.

    One that turns (`…, but it was built in 1951`) is a claim.
    """
    text = text.strip()
    if len(text) > _MOST:
        return False
    if is_absent(text) or ((label := _LABEL.match(text)) and is_absent(text[label.end() :])):
        return all(value.is_year or _asked(value, question) for value in values(text))
    return _tells_of_pages(text, question) and not _says_more(text, question)


def is_absent(cell: str) -> bool:
    """True for a cell, or what stands behind a label, that says it was not found: `not stated`, `n/a`."""
    if len(cell) > _MOST:
        return False
    bare = " ".join(fold(cell).strip(" .*()[]").split())
    match = _BARE.fullmatch(bare)
    return match is not None and (match["where"] is None or match["where"] in _SOURCES)


def _tells_of_pages(text: str, question: str) -> bool:
    """True for a statement that denies, and whose subject is the pages, the search, or who searched."""
    said = words(text)
    if not said or len(said) > _MOST_WORDS or not any(map(is_denial, said)):
        return False
    has = {*said, *(word[1:] for word in said if word.startswith("n"))}  # also the French `n'indique`
    asked = set(words(question))
    if has & (_SAYS | _TOLD) and any(_is_source(match, asked) for match in _NOUN.finditer(text)):
        return True
    if _FINDERS & set(said[:3]) and _FINDS & has:
        return True
    folded = " ".join(said)
    return _FOUND_NOTHING.match(folded) is not None or _INFORMATION.match(folded) is not None


def _is_source(noun: re.Match[str], asked: Collection[str]) -> bool:
    """True for a word for what was read; `Larry Page`, `the source of the river`, `the search for her` are none.

    Nor is one that was asked for: a question for an article of a law is not answered by what `the article` lacks.
    """
    folded = words(noun[0])
    if not _SOURCES & set(folded) or set(folded) & set(asked):
        return False
    capital = noun[0][0].isupper() and noun.start() > 0 and not _NOUNS & set(folded)
    return not capital and not _OF.match(noun.string, noun.end())


def _says_more(text: str, question: str) -> bool:
    """True where a statement goes on, names a value that was not asked for, or reports what is not said."""
    said = words(text)
    if _TURNS & set(said) or _GOES_ON.search(text.rstrip(" .:;")):
        return True
    if any(not _asked(value, question) and not _is_limit(value, text, said) for value in values(text)):
        return True
    that = _THAT.search(text)
    return that is not None and not set(_content(text[that.end() :])) <= set(_content(question))


def _asked(value: Value, question: str) -> bool:
    return any(same(value, other) for other in values(question))


def _is_limit(value: Value, text: str, said: Sequence[str]) -> bool:
    """True for a year that limits what was sought: `nothing on the rent in 2024`, not `who built it in 1871`."""
    return bool(value.years) and not _ASKS & set(said) and _LIMITS.search(text[: value.start][-80:]) is not None


def _content(text: str) -> list[str]:
    return list(content_stems(text))


__all__ = ["Sought", "is_absent", "says_absent", "sought"]
