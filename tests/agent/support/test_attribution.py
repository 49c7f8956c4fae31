"""Every unit of an answer is graded by what the pages say, in many languages and scripts."""

import time

import pytest

from hds_cli.agent.support.attribution import attribute
from hds_cli.types import Passage, Support

TOWER = (
    "Eiffel Tower",
    "The Eiffel Tower is a wrought-iron lattice tower on the Champ de Mars in Paris, France. It is named after the engineer Gustave Eiffel, whose company built the tower from 1887 to 1889. The tower is 330 metres tall and received 5.9 million visitors in 2022.",
)
GALLERY = ("Leeds galleries", "A gallery of Scottish painters opened in Leeds in 1977. Its director is José Núñez.")
CURIE = (
    "Marie Curie",
    "Marie Skłodowska Curie wurde am 7. November 1867 in Warschau geboren. Sie erhielt 1903 den Nobelpreis für Physik und 1911 den Nobelpreis für Chemie. Sie starb am 4. Juli 1934 im Alter von 66 Jahren.",
)
KAHLO = (
    "Frida Kahlo",
    "Frida Kahlo nació el 6 de julio de 1907 en Coyoacán, Ciudad de México. Se casó con Diego Rivera en 1929. Su cuadro se vendió por 34,9 millones de dólares en 2021.",
)
BRIDGE = (
    "Pont de Normandie",
    "Le pont de Normandie a été inauguré le 20 janvier 1995. Il mesure 2 141 mètres de long et a coûté 465 millions d’euros.",
)
GAGARIN = (
    "Юрий Гагарин",
    "Юрий Алексеевич Гагарин родился 9 марта 1934 года в деревне Клушино. Он совершил первый полёт в космос 12 апреля 1961 года. Полёт длился 108 минут.",
)
KAZANTZAKIS = (
    "Νίκος Καζαντζάκης",
    "Ο Νίκος Καζαντζάκης γεννήθηκε στις 18 Φεβρουαρίου 1883 στο Ηράκλειο της Κρήτης. Πέθανε το 1957 στη Γερμανία σε ηλικία 74 ετών.",
)
MAHFOUZ = (
    "نجيب محفوظ",
    "ولد نجيب محفوظ في القاهرة في 11 ديسمبر 1911. حصل على جائزة نوبل في الأدب عام 1988. توفي في 30 أغسطس 2006.",
)
PALACE = (
    "故宫",
    "故宫位于北京中轴线的中心，占地面积72万平方米。始建于明成祖永乐四年（1406年），1420年落成。馆藏文物约186万件。",
)
TOKYO = (
    "東京タワー",
    "東京タワーは、東京都港区芝公園にある電波塔である。高さは333メートルで、1958年12月23日に竣工した。設計者は内藤多仲である。",
)
TEMPLE = ("วัดพระแก้ว", "วัดพระแก้วสร้างขึ้นในปี พ.ศ. 2325 อยู่ในเขตพระบรมมหาราชวัง กรุงเทพมหานคร")
LIBRARY = (
    "requests",
    "Requests 2.32.3 was released on 29 May 2024. It supports Python 3.8 and newer. The default timeout is None; pass timeout=5 to stop waiting after 5 seconds.",
)
DRUG = (
    "Ibuprofen",
    "Ibuprofen is a nonsteroidal anti-inflammatory drug. Adults take 200 mg to 400 mg every 4 to 6 hours, at most 1,200 mg a day without a prescription. Sales grew by 4.7 % in 2019 to $3.2 billion.",
)
MOONS = (
    "Planets",
    "Mercury has 0 moons. Earth has 1 moon. Mars has 2 moons. Jupiter has 95 moons. Saturn has 146 moons. Uranus has 28 moons.",
)
PAINTER = (
    "Jeffrey Smart",
    "Jeffrey Smart (26 July 1921 – 20 June 2013) was an Australian painter known for his precisionist depictions of urban landscapes.",
)
GOOD = ("quoted", "computed", "together")


def _graded(message: str, *pages: tuple[str, str], query: str = "", page: str = "") -> tuple[Support, ...]:
    passages = [
        Passage(url=f"https://p{n}.example", title=title, text=text, n=n) for n, (title, text) in enumerate(pages, 1)
    ]
    return attribute(message, query, [(query, p) for p in passages], lambda _: page)


@pytest.mark.parametrize(
    ("page", "message"),
    [
        (TOWER, "The Eiffel Tower is 330 m tall [1]."), (TOWER, "It was built from 1887 to 1889 by the company of Gustave Eiffel [1]."),
        (TOWER, "The tower had 5,900,000 visitors in 2022 [1]."), (TOWER, "The tower is 0.33 km tall."), (TOWER, "330 metres"),
        (GALLERY, "A gallery of Scottish painters opened in Leeds in 1977."), (GALLERY, "Jose Nunez"), (GALLERY, "The director is José Núñez [1]."),
        (CURIE, "Marie Curie wurde am 7.11.1867 in Warschau geboren [1]."), (CURIE, "Sie erhielt 1911 den Nobelpreis für Chemie [1]."),
        (CURIE, "Sie starb mit 66 Jahren [1]."), (CURIE, "1867-11-07"),
        (KAHLO, "Frida Kahlo nació el 6 de julio de 1907 en Coyoacan [1]."), (KAHLO, "Su cuadro se vendió por $34.9 millones [1]."),
        (BRIDGE, "Le pont de Normandie mesure 2 141 m [1]."), (BRIDGE, "Il a été inauguré le 20/01/1995."),
        (GAGARIN, "Юрий Гагарин родился 9 марта 1934 года [1]."), (GAGARIN, "Полёт Гагарина в космос длился 108 минут [1]."),
        (KAZANTZAKIS, "Ο Καζαντζάκης γεννήθηκε στο Ηράκλειο το 1883 [1]."), (KAZANTZAKIS, "18/2/1883"),
        (MAHFOUZ, "ولد نجيب محفوظ في ١١ ديسمبر ١٩١١ في القاهرة [1]."), (MAHFOUZ, "حصل نجيب محفوظ على جائزة نوبل في الأدب عام 1988 [1]."),
        (PALACE, "故宫占地面积为72万平方米[1]。"), (PALACE, "故宫于1420年落成[1]。"), (TOKYO, "東京タワーの高さは333mです[1]。"),
        (TOKYO, "東京タワーは1958年12月23日に竣工した[1]。"), (TOKYO, "設計者は内藤多仲です[1]。"), (TEMPLE, "วัดพระแก้วสร้างขึ้นในปี 1782 [1]"),
        (LIBRARY, "Requests 2.32.3 supports Python 3.8 and newer [1]."), (LIBRARY, "Requests 2.32.3 was released on May 29th, 2024."),
        (DRUG, "Adults take at most 1.2 g a day without a prescription [1]."), (DRUG, "Sales grew by 4.7 percent in 2019 [1]."),
        (DRUG, "Sales grew to 3,200 million dollars [1]."), (PAINTER, "Urban landscapes"),
    ],
)  # fmt: skip
def test_what_a_page_says_has_a_ground(page: tuple[str, str], message: str) -> None:
    """What a page says in other words, another notation or script has a ground there, with its quote."""
    (support,) = _graded(message, page, query=page[0])
    assert support.level in ("quoted", "together"), support
    assert support.quotes[0].quote in page[1]


@pytest.mark.parametrize(
    ("page", "message"),
    [
        (TOWER, "The Eiffel Tower is 320 m tall [1]."), (TOWER, "It was built from 1885 to 1889 by the company of Gustave Eiffel [1]."),
        (TOWER, "The tower had 5.9 million visitors in 2021 [1]."), (TOWER, "The Eiffel Tower was designed by Frank Lloyd Wright [1]."),
        (TOWER, "The tower weighs 10,100 tonnes [1]."), (TOWER, "The tower is not on the Champ de Mars in Paris [1]."), (TOWER, "33 metres"),
        (GALLERY, "Scotland has a gallery of painters in Leeds [1]."), (GALLERY, "A gallery of Scottish painters opened in Leeds in 1951."),
        (CURIE, "Marie Curie wurde am 9. November 1867 in Warschau geboren [1]."), (CURIE, "Sie wurde in Krakau geboren [1]."),
        (CURIE, "Sie erhielt 1921 den Nobelpreis für Literatur [1]."), (KAHLO, "Frida Kahlo nació el 6 de junio de 1907 en Coyoacán [1]."),
        (KAHLO, "Su cuadro se vendió por 34,9 millones de euros [1]."), (KAHLO, "Se casó con Pablo Neruda en 1929."),
        (BRIDGE, "Le pont de Normandie mesure 2 411 m [1]."), (BRIDGE, "Il a coûté 465 millions de dollars [1]."),
        (GAGARIN, "Юрий Гагарин родился 9 мая 1934 года [1]."), (GAGARIN, "Полёт Гагарина длился 89 минут [1]."),
        (GAGARIN, "Первый полёт в космос совершил Герман Титов [1]."), (KAZANTZAKIS, "Ο Καζαντζάκης γεννήθηκε στην Αθήνα το 1883 [1]."),
        (KAZANTZAKIS, "Πέθανε το 1975 στη Γερμανία [1]."), (MAHFOUZ, "ولد نجيب محفوظ في 11 ديسمبر 1921 في القاهرة [1]."),
        (MAHFOUZ, "توفي نجيب محفوظ في باريس ودفن في لندن بعد مرض طويل [1]."), (PALACE, "故宫占地面积为27万平方米[1]。"),
        (PALACE, "故宫于1520年落成[1]。"), (PALACE, "故宫位于上海浦东新区的东部海岸[1]。"), (TOKYO, "東京タワーの高さは634mです[1]。"),
        (TOKYO, "東京タワーは1958年12月24日に竣工した[1]。"), (TOKYO, "設計者は丹下健三です[1]。"), (TEMPLE, "วัดพระแก้วสร้างขึ้นในปี พ.ศ. 2352 [1]"),
        (LIBRARY, "Requests 2.32.3 supports Python 3.7 and newer [1]."), (LIBRARY, "Requests 2.31.3 was released on May 29th, 2024."),
        (DRUG, "Adults take at most 2,400 mg a day without a prescription [1]."), (DRUG, "Sales grew by 7 percent in 2019 [1]."),
        (DRUG, "Sales fell by -4.7 % in 2019 [1]."), (DRUG, "Sales grew to €3.2 billion [1]."),
        (PAINTER, "The painter Jeffrey Smart is known for depictions of rural landscapes [1]."), (PAINTER, "rural landscapes"),
    ],
)  # fmt: skip
def test_what_no_page_says_is_weak(page: tuple[str, str], message: str) -> None:
    """Another number, date, unit, name or a denial of what a page says has no ground there."""
    (support,) = _graded(message, page, query=page[0])
    assert support.weak, support


@pytest.mark.parametrize(
    ("message", "levels"),
    [
        ("| Planet | Moons |\n|---|---|\n| Jupiter | 95 [1] |\n| Saturn | 146 [1] |", ["good", "good"]),
        ("| Planet | Moons |\n|---|---|\n| Jupiter | 146 [1] |\n| Saturn | 146 [1] |", ["weak", "good"]),
        ("Jupiter has 95 moons and Saturn 146 [1].", ["good"]), ("Jupiter: 146; Saturn: 95", ["weak"]), ("Jupiter: 95; Saturn: 146", ["good"]),
        ("Jupiter has 95 moons and Saturn 146 [1]. Saturn has 51 more.", ["good", "computed"]),
        ("Jupiter has 95 moons and Saturn 146 [1]. Saturn has 61 more.", ["good", "weak"]),
        ("Jupiter and Saturn have 241 moons together.", ["computed"]), ("Jupiter and Saturn have 251 moons together.", ["weak"]),
        ("95 + 146 = 241", ["computed"]), ("95 + 146 = 242", ["contradicted"]),
    ],
)  # fmt: skip
def test_values_belong_to_their_names_and_sums_are_done_again(message: str, levels: list[str]) -> None:
    """A value under another name is no ground; sums and differences are worked out again from what the page says."""
    graded = _graded(message, MOONS, query="How many moons do the planets have?")
    got = [
        "weak" if s.weak and level == "weak" else "good" if level == "good" and not s.weak else s.level
        for s, level in zip(graded, levels, strict=True)
    ]
    assert got == levels, graded


def test_an_age_is_worked_out_from_two_dates() -> None:
    """`so he was 91` follows from the dates of birth and death; 93 does not."""
    said = "Jeffrey Smart was born on 26 July 1921 and died on 20 June 2013 [1], so he was {}."
    assert _graded(said.format(91), PAINTER)[0].level == "computed"
    assert _graded(said.format(93), PAINTER)[0].weak


def test_another_date_in_the_place_is_a_contradiction_with_its_quote() -> None:
    """The sentence that says another date is shown as what speaks against it, never as a ground."""
    (support,) = _graded("A gallery of Scottish painters opened in Leeds in 1951 [1].", GALLERY)
    assert (support.level, support.missing) == ("contradicted", ("1951",))
    assert "1977" in support.quotes[0].quote


def test_what_was_worked_out_contradicts_nothing() -> None:
    """A difference, what is left of 100 %, years later: no page has them, and another value does not deny them."""
    flats = (
        "Towers",
        "The project has 419 flats, 53 of them in the smaller tower. 85 % of the flats are let. It opened in 1977.",
    )
    for claim in (
        "Outside the smaller tower the project has 366 flats.", "15 % of the flats are not let.",
        "The project has 312 more flats than its neighbour.",
    ):  # fmt: skip
        assert _graded(claim, flats)[0].level != "contradicted", claim
    assert _graded("The project has 420 flats.", flats)[0].level == "contradicted"
    assert _graded("15 % of the flats are let.", flats)[0].level == "contradicted"
    opened = "A gallery of Scottish painters opened in Leeds in 1951 after a long debate."
    assert _graded(opened, GALLERY)[0].level == "contradicted"
    assert _graded("The project has more than 400 flats [1].", flats)[0].level == "quoted"
    assert _graded("The project has fewer than 400 flats [1].", flats)[0].level == "contradicted"


def test_a_german_noun_before_a_name_is_no_part_of_it() -> None:
    """`Berg Malawis` names Malawi; another person with a title is another name all the same."""
    page = ("Malawi", "Sapitwa, 3,002 m, is the highest mountain of Malawi. Its president is Lazarus Chakwera.")
    said = "Der Sapitwa ist mit 3.002 m der höchste Berg Malawis [1]."
    assert "Berg Malawis" not in _graded(said, page)[0].missing
    assert _graded("Der Präsident Peter Mutharika regiert Malawi [1].", page)[0].missing == (
        "Präsident Peter Mutharika",
    )


def test_a_sentence_behind_a_value_is_a_sentence() -> None:
    """`3,002 m: … is …` is no label with a value: words that only describe need not stand in the page."""
    page = ("Malawi", "The highest point is Sapitwa (Mount Mlanje), 3,002 m, in Malawi, and Mulanje its mountain.")
    said = "3,002 m: Sapitwa (in the Mulanje massif) is the highest mountain of Malawi."
    assert _graded(said, page)[0].level not in ("missing", "contradicted")


def test_eleven_is_a_number_in_spanish_and_once_is_none_in_english() -> None:
    """Both are written `once`."""
    page = ("País", "El país del norte tiene doce provincias y una capital.")
    assert _graded("El país del norte tiene once provincias y una capital.", page)[0].level == "contradicted"
    cup = ("Cup", "The club won the northern cup in ten years, and lost the southern cup.")
    assert _graded("The club once won the northern cup, and lost the southern cup.", cup)[0].level != "contradicted"


def test_a_value_of_no_page_is_named() -> None:
    """`missing` names the value or name that stands nowhere in what was read."""
    (support,) = _graded("The Eiffel Tower was designed by Frank Lloyd Wright [1].", TOWER)
    assert (support.level, support.missing) == ("missing", ("Frank Lloyd Wright",))


def test_parts_of_one_page_that_stand_apart_are_told() -> None:
    """Values that stand in one page, but not together, are `apart`; so is what only the rest of the page has."""
    long = (
        "Harbour",
        "Harlan has a harbour. It is old. Ships come. Fish is sold. It costs little. The quay is 412 m long.",
    )
    assert _graded("The quay of Harlan is 412 m long [1].", long)[0].level == "apart"
    assert (
        _graded("A flood came to Harlan in 1953 [1].", long, page="Much later, in 1953, a flood came.")[0].level
        == "apart"
    )


WORKSHOP = (
    "Letter",
    "The workshop moved to Ghent in 2019. It has four rooms. The two owners keep 3 cats and a dog. Its door is dark green.",
)


@pytest.mark.parametrize(
    ("question", "answer", "level"),
    [
        ("How many rooms are there?", "four rooms", "quoted"),
        ("How many?", "4 rooms", "quoted"),
        ("How many animals?", "three cats", "quoted"),
        ("What is it painted like?", "dark green", "quoted"),
        ("Wie viele?", "four rooms", "quoted"),
        ("How many animals?", "four cats", "unsourced"),
        ("How many rooms are there?", "two rooms", "unsourced"),
        ("What is it painted like?", "dark red", "missing"),
        ("What is it painted like?", "green", "apart"),
    ],
)
def test_a_bare_phrase_is_judged_by_the_sentence_that_says_it(question: str, answer: str, level: str) -> None:
    """A value with its noun, or two words, that one sentence says have a ground, whatever the document was read for."""
    read = [("Where did the workshop move?", Passage("stdin", *WORKSHOP, n=1))]
    assert [s.level for s in attribute(answer, question, read)] == [level]


def test_several_passages_support_one_sentence() -> None:
    """The marks of a sentence are judged together: each piece before a mark against its page."""
    (good,) = _graded(
        "The Eiffel Tower is 330 m tall [1] and the bridge is 2141 m long [2].",
        TOWER,
        ("Bridge", "The bridge is 2,141 m long."),
    )
    assert not good.weak
    assert {quote.n for quote in good.quotes} == {1, 2}
    (bad,) = _graded(
        "The Eiffel Tower is 2141 m tall [1] and the bridge is 330 m long [2].",
        TOWER,
        ("Bridge", "The bridge is 2,141 m long."),
    )
    assert bad.weak


def test_a_count_of_what_is_listed_is_computed() -> None:
    """A small number that counts the names of a list needs no page that says it."""
    page = ("Choir", "The choir sang in Lyon, Turin and Basel.")
    assert not _graded("The choir sang in three cities: Lyon, Turin and Basel [1].", page)[0].weak


def test_yes_rests_on_the_other_units() -> None:
    """A yes behind reasons that have grounds is computed; alone it has none."""
    assert _graded("The Eiffel Tower is 330 metres tall [1].\n\nYes", TOWER)[1].level == "computed"
    assert _graded("Yes", TOWER)[0].level == "unsourced"


def test_marks_of_no_passage_are_left_out() -> None:
    """A mark that names no passage is no mark of the unit."""
    assert _graded("The Eiffel Tower is 330 metres tall [1][9].", TOWER)[0].marks == (1,)


def test_judging_is_fast_and_linear_in_pages() -> None:
    """Thirty units over forty passages are graded within a bound, and ten times longer pages take no more than 20 times as long."""
    pages = [
        (f"Town {n}", f"Town {n} has {1000 + 7 * n} inhabitants. It was founded on {n % 28 + 1} March {1500 + n}.")
        for n in range(40)
    ]
    message = " ".join(
        f"Town {n} has {1000 + 7 * n} inhabitants and was founded in {1500 + n} [{n + 1}]." for n in range(30)
    )
    started = time.process_time()
    graded = _graded(message, *pages)
    assert time.process_time() - started < 1.0  # 50 ms on a machine that does nothing else
    assert len(graded) == 30
    wrong = "The mayor of Town 3 earns 77,777 crowns, says Ludmila Harrach [1]."
    times = []
    for size in (20_000, 200_000):
        started = time.process_time()
        _graded(wrong, *pages[:5], page="On 12 May 1834 a fire cost 512 people their houses. " * (size // 52))
        times.append(time.process_time() - started)
    assert times[1] < 20 * times[0] + 0.5


def test_hostile_pages_and_messages_take_no_long_time() -> None:
    """Long words, digits and brackets in page and message are graded in bounded time."""
    for piece in ("A", "1,", "A. ", "( ", "A B ", "不", "a-", "[1]", "one "):
        started = time.process_time()
        _graded(piece * (8_000 // len(piece)), ("T", piece * (8_000 // len(piece))))
        assert time.process_time() - started < 10, piece


SENSORS = (
    "Level sensors",
    "| Sensor | Accuracy | Price |\n|---|---|---|\n| Radar from above | ±0.3 cm | 1,850 |\n| Pressure probe | ±0.5 cm | 420 |",
)
FILTERS = (
    "Filters compared",
    "| Jug | Price (EUR) | Cost per 100 l (EUR) | Grade |\n|---|---|---|---|\n| Aqua | 34.90 | 4.33 | good |\n"
    "| Duo | 27.50 | 5.10 | fair |\n| Clarissa | 49.00 | 7.95 | good |",
)
COFFEE = (
    "Pour-over, cold brew",
    "Coarse coffee stands in cold water for 12 hours. Pregnant women should stay below 200 mg of caffeine a day.",
)
TABLETS = (
    "Renavita",
    "Do not give Renavita together with pain-killers (for example meloxicam). It may be given with kidney diet food.",
)


@pytest.mark.parametrize(
    ("claim", "page", "level"),
    [
        ("The pressure probe has an accuracy of ±0.3 cm.", SENSORS, None),
        ("The pressure probe has an accuracy of ±0.5 cm.", SENSORS, "quoted"),
        ("The radar has an accuracy of ±0.5 cm and costs 1,850.", SENSORS, None),
        ("Its accuracy is ±0.3 cm, that of the pressure probe ±0.5 cm.", SENSORS, "together"),
        ("The radar has an accuracy of ±0.3 cm, that of the probe is ±0.5 cm.", SENSORS, "together"),
        ("Its cost is 5.10 euros per 100 litres, that of the Clarissa 7.95 euros.", FILTERS, "together"),
        ("Cold brew is lower in caffeine.", COFFEE, None),
        ("Renavita may be given together with meloxicam.", TABLETS, "contradicted"),
        ("Renavita may be given with kidney diet food.", TABLETS, "quoted"),
    ],
)
def test_a_row_a_title_and_a_half_are_no_ground(claim: str, page: tuple[str, str], level: str | None) -> None:
    """The row of something else, words of the title alone, or half a claim beside a sentence that denies all of it."""
    (support,) = _graded(claim, page)
    assert support.level == level if level else support.weak, support
