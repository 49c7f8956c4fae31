"""An answer in another language than its pages is judged by its values and names, never marked for its language."""

from __future__ import annotations

import pytest

from hds_cli.agent.support.attribution import attribute
from hds_cli.agent.support.territories import forms, made
from hds_cli.types import Passage, Support

COUNTRIES = (
    "Welche Länder grenzen an Malawi, und wie lang ist die Grenze?",
    ("Malawi", "Malawi is a country in southern Africa. It has long borders with Zambia, Tanzania and Mozambique. Its lake is known for its fish.\n\nLand boundaries: total: 2,881 km\n\nThe area of the land is 94,080 sq km."),
    ("Zambia", "Zambia lies in southern Africa and it is landlocked.\n\nLand boundaries: total: 5,664 km\n\nThe capital of the country is Lusaka."),
    ("Zimbabwe", "Zimbabwe is a landlocked country.\n\nLand boundaries: total: 3,229 km\n\nThe population was 15.2 million in 2022."),
    ("Ivory Coast", "Ivory Coast is a country on the southern coast of West Africa.\n\nThe coastline of the country is 515 km long."),
    ("South Africa", "South Africa is the southernmost country of the continent. Its coastline is 2,798 km long."),
)  # fmt: skip
MEDICINE = (
    "Wie hoch ist die Dosis von Ibuprofen, und seit wann gibt es das Mittel?",
    ("Ibuprofen", "Ibuprofen is a drug for pain. Adults take 400 mg every 6 hours, and at most 1,200 mg a day. It was patented in 1961 by Stewart Adams and it is sold in many countries."),
)  # fmt: skip
TOWER = (
    "Wie hoch ist der Eiffelturm, und wer hat ihn gebaut?",
    ("Eiffel Tower", "The Eiffel Tower is a lattice tower in Paris. It is 330 metres tall and was built by the company of Gustave Eiffel from 1887 to 1889. The tower had 5.9 million visitors in 2022."),
)  # fmt: skip
SOFTWARE = (
    "¿Cuándo se publicó Rust 1.0 y quién lo empezó?",
    ("Rust", "Rust is a language for systems. Version 1.0 of it was released on May 15, 2015. Graydon Hoare began the work in 2006. The compiler is 310 MB on disk."),
)  # fmt: skip
MONEY = (
    "Combien a coûté le pont et quand a-t-il ouvert ?",
    ("Harlan Bridge", "The Harlan Bridge is a bridge over the river. It was opened on 20 January 1995 and it cost 465 million euros. It is 2,141 m long."),
)  # fmt: skip
GERMAN = (
    "How tall is the Zaltturm and when was it built?",
    ("Zaltturm", "Der Zaltturm ist ein Turm in Kelmar. Er ist 142 m hoch und wurde 1951 von Ada Holt gebaut. Im Jahr 2022 hatte er 48.000 Besucher."),
    ("Südafrika", "Südafrika ist ein Land im Süden des Kontinents. Die Küste von Südafrika ist 2.798 km lang."),
)  # fmt: skip


def _graded(message: str, question: str, *pages: tuple[str, str]) -> tuple[Support, ...]:
    passages = [Passage(f"https://p{n}.example", title, text, n) for n, (title, text) in enumerate(pages, 1)]
    return attribute(message, question, [(question, passage) for passage in passages])


@pytest.mark.parametrize(
    ("case", "message"),
    [
        (COUNTRIES, "Malawis Grenze ist insgesamt 2.881 km lang [1]."),
        (COUNTRIES, "Die Landgrenze Malawis ist 2.881 km lang."),
        (COUNTRIES, "Sambia hat eine Landgrenze von 5.664 km [2]."),
        (COUNTRIES, "Sambias Hauptstadt ist Lusaka. Die Grenze ist 5.664 km lang."),
        (COUNTRIES, "Simbabwe hatte 2022 rund 15,2 Millionen Einwohner [3]."),
        (COUNTRIES, "Die Küste der Elfenbeinküste ist 515 km lang [4]."),
        (COUNTRIES, "Südafrikas Küste ist 2.798 km lang."),
        (COUNTRIES, "| Land | Grenze |\n|---|---|\n| Malawi | 2.881 km |\n| Sambia | 5.664 km [2] |\n| Simbabwe | 3.229 km |"),
        (COUNTRIES, "| Angabe | Wert |\n|---|---|\n| Landfläche | 94.080 km² [1] |\n| Grenzlänge Malawis | 2.881 km [1] |"),
        (COUNTRIES, "- Sambia: 5.664 km\n- Simbabwe: 3.229 km\n- Malawi: 2.881 km"),
        (COUNTRIES, "Sambias Grenze ist länger: 5.664 km gegenüber 2.881 km in Malawi."),
        (COUNTRIES, "La frontière de la Zambie est longue de 5 664 km [2]."),
        (COUNTRIES, "La costa de Sudáfrica tiene una longitud de 2.798 km [5]."),
        (COUNTRIES, "La costa de Costa de Marfil es de 515 km [4]."),
        (COUNTRIES, "Lo Zimbabwe ha una frontiera di 3229 km [3]."),
        (MEDICINE, "Erwachsene nehmen alle 6 Stunden 400 mg, höchstens 1.200 mg am Tag [1]."),
        (MEDICINE, "Das Mittel wurde 1961 von Stewart Adams patentiert [1]."),
        (TOWER, "Der Eiffelturm ist 330 m hoch [1]."),
        (TOWER, "Er wurde von 1887 bis 1889 gebaut."),
        (TOWER, "Im Jahr 2022 kamen 5,9 Millionen Besucher."),
        (TOWER, "| Angabe | Wert |\n|---|---|\n| Höhe | 330 m |\n| Besucher im Jahr 2022 | 5,9 Mio. |"),
        (SOFTWARE, "La versión 1.0 se publicó el 15 de mayo de 2015 [1]."),
        (SOFTWARE, "El compilador ocupa 310 MB en el disco."),
        (MONEY, "Le pont a coûté 465 millions d’euros et a ouvert le 20 janvier 1995 [1]."),
        (MONEY, "Il mesure 2 141 m de long."),
        (GERMAN, "The tower is 142 m tall and was built in 1951 [1]."),
        (GERMAN, "In 2022 it had 48,000 visitors."),
        (GERMAN, "The coast of South Africa is 2,798 km long [2]."),
    ],
)  # fmt: skip
def test_what_the_pages_say_in_another_language_is_no_weak_part(case: tuple[str, ...], message: str) -> None:
    """Sentences, items and rows in German, French, Spanish, Italian over English pages, and in English over German ones."""
    for support in _graded(message, *case):  # type: ignore[arg-type]
        assert not support.weak, support


@pytest.mark.parametrize(
    ("case", "message"),
    [
        (COUNTRIES, "Malawis Grenze ist insgesamt 2.981 km lang [1]."),
        (COUNTRIES, "Sambia hat eine Landgrenze von 2.881 km."),
        (COUNTRIES, "Sambias Grenze ist kürzer: 5.664 km gegenüber 2.881 km in Malawi."),
        (COUNTRIES, "Simbabwe hatte 2022 rund 51,2 Millionen Einwohner [3]."),
        (COUNTRIES, "- Simbabwe: 5.664 km"),
        (COUNTRIES, "| Land | Grenze |\n|---|---|\n| Sambia | 3.229 km |"),
        (COUNTRIES, "La frontière de la Zambie est longue de 2 881 km [1]."),
        (COUNTRIES, "La costa de Costa de Marfil es de 2.798 km [5]."),
        (MEDICINE, "Erwachsene nehmen alle 8 Stunden 600 mg [1]."),
        (MEDICINE, "Das Mittel wurde 1961 von Otto Krahe patentiert [1]."),
        (TOWER, "Der Eiffelturm ist 320 m hoch [1]."),
        (TOWER, "Der Eiffelturm ist nicht 330 m hoch [1]."),
        (SOFTWARE, "La versión 1.0 se publicó el 15 de marzo de 2015 [1]."),
        (MONEY, "Le pont a coûté 456 millions d’euros [1]."),
        (GERMAN, "The tower is 124 m tall [1]."),
        (GERMAN, "The coast of Zambia is 2,798 km long [2]."),
    ],
)
def test_what_the_pages_do_not_say_stays_weak_in_another_language(case: tuple[str, ...], message: str) -> None:
    """Another value, the value of another name, a name that stands nowhere, a denial."""
    assert any(support.weak for support in _graded(message, *case))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("case", "message"),
    [
        (COUNTRIES, "Der Zweite Weltkrieg hat dort die Grenze mit 2.881 km bestimmt."),
        (COUNTRIES, "Die Vereinigten Staaten haben damit nichts zu tun."),
        (COUNTRIES, "Im Westen liegt ein großer See, der Malawisee."),
        (MEDICINE, "Das Mittel lindert Schmerzen und wird in der ganzen Welt verkauft."),
        (TOWER, "Er steht auf dem Marsfeld an der Seine."),
        (SOFTWARE, "El lenguaje sirve para programar sistemas seguros."),
        (MONEY, "Le pont enjambe le fleuve près de la Ville Haute."),
        (GERMAN, "It stands in the Old Town beside the Great Market."),
    ],
)
def test_what_cannot_be_compared_is_not_called_missing(case: tuple[str, ...], message: str) -> None:
    """Names and words of another language may be translated: nobody can tell, so nothing is said to be missing."""
    for support in _graded(message, *case):  # type: ignore[arg-type]
        assert support.level in ("apart", "unsourced", "together", "quoted"), support
        assert not support.missing


def test_a_territory_has_its_names_in_all_languages() -> None:
    """From the locale data, with those that are common beside the official ones; without those that are two things."""
    assert ("zambia",) in forms(("sambia",))
    assert ("ivory", "coast") in forms(("elfenbeinkuste",))
    assert ("south", "africa") in forms(("sudafrika",)) == forms(("afrique", "sud"))
    assert ("united", "states") in forms(("vereinigten", "staaten"))
    assert forms(("krahe",)) == ()


def test_the_names_of_territories_are_those_of_the_locale_data() -> None:
    """The file is made from Babel's data; a newer Babel may have more."""
    pytest.importorskip("babel")
    fresh = made()
    assert {"sambia", "zambia", "zambie"} <= set(fresh["ZM"])
    assert {tuple(name.split()) for name in fresh["ZM"]} & set(forms(("zambia",)))
