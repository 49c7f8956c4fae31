"""Statements that something was not found: `The pages do not say when it was built.` No page can say them."""

from __future__ import annotations

from hds_cli.agent.support.values import same, values
from hds_cli.agent.support.words import negated, words
from hds_cli.text import fold

_MOST_WORDS = 60  # of such a statement


def _folded(text: str) -> frozenset[str]:
    return frozenset(fold(text).split())


_SOURCES = _folded(
    "page pages source sources passage passages document documents text texts article articles results "
    "seite seiten quelle quellen textstelle textstellen dokument dokumente treffer artikeln suchergebnisse "
    "passages sources résultats página páginas fuente fuentes pasaje pasajes resultados documentos "
    "pagina pagine fonte fonti brani documenti risultati fontes bronnen bron resultaten pagina's passages "
    "страницы страницах страница источники источниках источник отрывки отрывках"
)
_SAYS = _folded(
    "say says said state states stated mention mentions mentioned give gives given name names named list lists listed "
    "tell tells specify specifies specified report reports contain contains provide provides include includes indicate "
    "indicates cover covers answer answers show shows explain explains describe describes find found "
    "sagen sagt nennen nennt genannt erwähnen erwähnt geben gibt angegeben steht enthalten enthält gefunden belegen "
    "belegt zeigen zeigt "
    "disent dit mentionnent mentionne indiquent indique précisent précise donnent donne trouvé contiennent "
    "dicen dice mencionan menciona indican indica dan da encontrado contienen especifican "
    "dicono menzionano indicano riportano trovato contengono dizem mencionam indicam encontrado contêm "
    "zeggen zegt vermelden vermeldt noemen noemt gevonden bevatten "
    "говорят сообщают указано указывают упоминают упоминается найдено содержат"
)
_TURNS = _folded("but however although though yet aber jedoch doch mais pero sino ma però mas maar но однако")


def says_absent(text: str, question: str) -> bool:
    """True for a statement that the pages do not say something, with no value that the question has not.

    One that turns (`…, but it was built in 1951`) is a claim.
    """
    said = words(text)
    if len(said) > _MOST_WORDS or not (_SOURCES & set(said) and _SAYS & set(said)) or _TURNS & set(said):
        return False
    known = values(question)
    return negated(text) and all(any(same(value, other) for other in known) for value in values(text))
