"""Parts of a message that claim nothing of the world: what only leads in, and what says that nothing was found."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from hds_cli.agent.support.absence import is_absent, says_absent
from hds_cli.agent.support.message import Unit
from hds_cli.agent.support.values import values
from hds_cli.agent.support.words import is_content, words

_MOST_WORDS = 16  # of what leads in


def _folded(text: str) -> frozenset[str]:
    return frozenset(words(text))


# What names the claim behind it without being a part of it.
_LABELS = _folded(
    "answer answers short brief briefly final sum summary summarize result results conclusion overall verdict "
    "antwort kurz kurzum kurzfassung gesagt gefasst fazit ergebnis zusammenfassung zusammengefasst "
    "réponse bref résumé résultat conclusion respuesta resumen breve resultado conclusión "
    "risposta breve sintesi riassunto risultato conclusione resposta resumo conclusão antwoord kort samenvatting"
)
_LEADS = _LABELS | _folded(
    "answer below above following follows table list comparison overview finding findings detail details figure "
    "figures number numbers fact facts information summarise summarised based page pages source sources passage "
    "passages search searches research found find read need have let my me we what show shows give gives compare "
    "compares look points key breakdown explanation reasoning calculation data question nachfolgend nachfolgende "
    "folgende folgenden folgender übersicht überblick tabelle vergleich zusammenfassend ergebnisse quellen seiten "
    "einzelheiten zahlen angaben liste begründung rechnung voici voilà dessous comparaison réponses résultats "
    "tableau détails chiffres suivant suivante suivants aquí continuación comparación respuestas resultados tabla "
    "fuentes páginas detalles cifras siguiente siguientes está esta este ecco confronto risultati dettagli "
    "comparação resultados vergelijking bronnen overzicht"
)
_PAGES = _folded("pages passages sources seiten quellen fuentes páginas")
_STARTS = _folded("here heres below let based following have to sum hier nachfolgend folgende voici voilà aquí ecco")


def told(
    parts: Iterable[Unit], question: str, is_said: Callable[[str], bool] = lambda _: False
) -> list[tuple[Unit, Unit]]:
    """The units that claim something, each with itself as it is judged: a row without its cells `not found`.

    Args:
        is_said: true for a statement that something was not found which a page does say.
    """
    out: list[tuple[Unit, Unit]] = []
    for unit in parts:
        kept = _without_absent(unit)
        absent = says_absent(unit.text, question) and not is_said(unit.text)
        if kept is not None and not absent and not leads_in(unit.text):
            out.append((unit, kept))
    return out


def _without_absent(unit: Unit) -> Unit | None:
    """A row without its cells that say that nothing was found; None: it has no other cell."""
    if not unit.row:
        return unit
    cells = unit.text.split("; ")
    kept = [cells[0], *(cell for cell in cells[1:] if any(map(str.isalnum, cell)) and not is_absent(cell))]
    if len(kept) == len(cells):
        return unit
    return replace(unit, text="; ".join(kept)) if len(kept) > 1 else None


def leads_in(text: str) -> bool:
    """True for words that only say what comes: `Here is the comparison:`, `In short:`, `Based on the pages:`."""
    said = words(text)
    if not said or len(said) > _MOST_WORDS or any(word not in _LEADS and is_content(word) for word in said):
        return False
    ends = text.rstrip(" *_").endswith((":", "："))
    opens = bool(_STARTS & set(said[:3])) or bool(_PAGES & set(said))
    begins = len(said) > 2 and opens and any(word in _LEADS for word in said)
    return (ends or begins) and not any(not value.worded for value in values(text))


def is_idle(label: str) -> bool:
    """True for a label that names no subject: `Short answer`, `Fazit`."""
    said = words(label)
    named = bool(said) and any(word in _LABELS for word in said)
    return (named and all(word in _LABELS or not is_content(word) for word in said)) or (
        len(said) > 2 and leads_in(f"{label}:")
    )


__all__ = ["is_idle", "leads_in", "told"]
