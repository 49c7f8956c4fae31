"""Words that deny one another, `refused` and `accepted`, in the languages of `words.py`: closed lists."""

from __future__ import annotations

from hds_cli.agent.support.words import stem
from hds_cli.text import fold


def _folded(text: str) -> frozenset[str]:
    return frozenset(fold(word) for word in text.split())


LIGHT = frozenset(
    map(
        stem,
        _folded(
            "decided decides chose chosen able want wanted wants going tried managed need needed planned except "
            "excepting excluding unless außer sauf excepto salvo eccetto tranne exceto behalve кроме"
        ),
    )
)  # `they decided not to join`
OPPOSITES = [
    (_folded(first), _folded(second))
    for first, second in (
        ("refused rejected declined refuses rejects", "accepted approved granted accepts approves grants"),
        ("allowed permitted allows permits legal", "forbidden prohibited banned forbids prohibits illegal disallowed"),
        ("rises rose risen rising increases increased grew grows",
         "falls fell fallen falling decreases decreased dropped"),
        ("enabled enables activated", "disabled disables deactivated"),
        ("included includes including covered covers", "excluded excludes excluding"),
        ("mandatory required compulsory obligatory", "optional voluntary"),
        ("developing", "developed"), ("early", "late"), ("paid", "unpaid owed outstanding"),
        ("sold sells", "bought buys"),
        ("lends lent", "borrows borrowed"), ("imports imported", "exports exported"),
        ("missing", "existing exists exist"), ("begins began starts started opens", "ends ended finished finishes"),
        ("added adds", "removed removes dropped"),
        ("arrives arrived arrival", "departs departed departure"), ("stays stay stayed unchanged kept keeps remains",
         "rises rose rise raised increased increases falls fell cut lowered"), ("doubled doubles", "halved halves"),
        ("made reached reaches", "missed misses"), ("joined joins", "left leaves"), ("warm hot", "cold"),
        ("succeeds succeeded", "precedes preceded"), ("ended dropped discontinued", "still continues"),
        ("früh", "spät"), ("beginnt begann", "endet endete"), ("morgens", "abends"), ("früher", "später"),
        ("always", "never"), ("safe", "unsafe dangerous"), ("possible", "impossible"),
        ("open opens opened", "closed closes shut"),
        ("nobody", "everybody everyone anybody anyone"), ("niemand", "jeder alle"), ("nadie", "todos"),
        ("won", "lost"), ("minimum", "maximum"), ("successful succeeded", "unsuccessful failed"),
        ("first", "last"), ("narrow narrowly", "wide widely large"), ("easy easily", "difficult hard"),
        ("praised", "criticized criticised"), ("public publicly", "private privately"), ("male", "female"),
        ("smallest", "largest biggest"), ("shortest", "longest tallest"), ("lowest", "highest"),
        ("youngest newest", "oldest"), ("slowest", "fastest"), ("poorest", "richest"), ("worst", "best"),
        ("abgelehnt verweigert lehnte", "angenommen genehmigt bewilligt akzeptiert"),
        ("erlaubt zulässig gestattet", "verboten untersagt unzulässig"),
        ("steigt stieg gestiegen steigen", "fällt fiel gefallen sinkt sank gesunken"),
        ("aktiviert eingeschaltet", "deaktiviert ausgeschaltet"), ("immer", "nie niemals"),
        ("geöffnet offen", "geschlossen"),
        ("verpflichtend vorgeschrieben", "freiwillig"), ("gewann gewonnen", "verlor verloren"),
        ("refusé refusée rejeté rejetée", "accepté acceptée approuvé approuvée"),
        ("autorisé autorisée permis permise", "interdit interdite"),
        ("augmente augmenté hausse", "baisse baissé diminue diminué"),
        ("activé activée", "désactivé désactivée"), ("ouvert ouverte", "fermé fermée"),
        ("obligatoire", "facultatif facultative"),
        ("rechazado rechazada rechazó", "aceptado aceptada aceptó aprobado aprobada aprobó"),
        ("permitido permitida", "prohibido prohibida"), ("sube subió aumenta aumentó", "baja bajó disminuye disminuyó"),
        ("activado activada habilitado", "desactivado desactivada deshabilitado"),
        ("abierto abierta", "cerrado cerrada"),
        ("obligatorio obligatoria", "opcional"),
    )
]  # fmt: skip
HAVE_OPPOSITES = frozenset(word for pair in OPPOSITES for words_of in pair for word in words_of)
BEFORE_A_WORD = [
    tuple(map(fold, pair.split()))
    for pair in ("before after", "before during", "after during", "prior after", "following before",
                 "with without", "above below",
                 "inside outside", "vor nach", "mit ohne", "über unter",
                 "avant après", "avec sans", "con sin", "con senza", "com sem", "met zonder", "с без", "до после",
                 "left right", "upper lower", "inner outer", "few most", "few each", "few every", "few all",
                 "linken rechten")
]  # fmt: skip
DIRECTIONS = [
    tuple(map(fold, pair.split()))
    for pair in ("north south", "east west", "northeast southwest", "northwest southeast", "northern southern",
                 "eastern western", "nördlich südlich", "östlich westlich")
]  # fmt: skip
