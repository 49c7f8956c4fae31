"""Numbers written in words, in the languages that are common in pages: `twenty-one`, `einundzwanzig`, `двадцать один`.

Composed by value, not by grammar: words of units, tens and scales that stand in a row are added and multiplied.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence

from hds_cli.agent.support.cldr import names
from hds_cli.text import fold

_WORDS = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
_JOINING = frozenset("and und et y e i и και och og en ve".split())
# `one` and its kin are articles; they count only within a longer number.
_ONES = frozenset("one a an ein eine eins un une uno una um uma один одна одно ena ενα ενασ μια een en et واحد".split())
# Twenty-one words each: 0 to 20.
_TO_TWENTY = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty
null eins zwei drei vier funf sechs sieben acht neun zehn elf zwolf dreizehn vierzehn funfzehn sechzehn siebzehn achtzehn neunzehn zwanzig
zero un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept dix-huit dix-neuf vingt
cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciseis diecisiete dieciocho diecinueve veinte
zero uno due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici sedici diciassette diciotto diciannove venti
zero um dois tres quatro cinco seis sete oito nove dez onze doze treze quatorze quinze dezesseis dezessete dezoito dezenove vinte
nul een twee drie vier vijf zes zeven acht negen tien elf twaalf dertien veertien vijftien zestien zeventien achttien negentien twintig
noll en tva tre fyra fem sex sju atta nio tio elva tolv tretton fjorton femton sexton sjutton arton nitton tjugo
null en to tre fire fem seks sju atte ni ti elleve tolv tretten fjorten femten seksten sytten atten nitten tjue
zero jeden dwa trzy cztery piec szesc siedem osiem dziewiec dziesiec jedenascie dwanascie trzynascie czternascie pietnascie szesnascie siedemnascie osiemnascie dziewietnascie dwadziescia
ноль один два три четыре пять шесть семь восемь девять десять одиннадцать двенадцать тринадцать четырнадцать пятнадцать шестнадцать семнадцать восемнадцать девятнадцать двадцать
нуль один два три чотири пять шість сім вісім девять десять одинадцять дванадцять тринадцять чотирнадцять пятнадцять шістнадцять сімнадцять вісімнадцять девятнадцять двадцять
μηδεν ενα δυο τρια τεσσερα πεντε εξι επτα οκτω εννεα δεκα εντεκα δωδεκα δεκατρια δεκατεσσερα δεκαπεντε δεκαεξι δεκαεπτα δεκαοκτω δεκαεννεα εικοσι
صفر واحد اثنان ثلاثة اربعة خمسة ستة سبعة ثمانية تسعة عشرة - - - - - - - - - عشرون
אפס אחת שתיים שלוש ארבע חמש שש שבע שמונה תשע עשר - - - - - - - - - עשרים
sifir bir iki uc dort bes alti yedi sekiz dokuz on - - - - - - - - - yirmi
nolla yksi kaksi kolme nelja viisi kuusi seitseman kahdeksan yhdeksan kymmenen - - - - - - - - - kaksikymmenta
शूनय एक दो तीन चार पाच छह सात आठ नौ दस - - - - - - - - - बीस
"""
# Tens from 30 to 90.
_TENS = """
thirty forty fifty sixty seventy eighty ninety
dreißig vierzig funfzig sechzig siebzig achtzig neunzig
trente quarante cinquante soixante soixante-dix quatre-vingts quatre-vingt-dix
treinta cuarenta cincuenta sesenta setenta ochenta noventa
trenta quaranta cinquanta sessanta settanta ottanta novanta
trinta quarenta cinquenta sessenta setenta oitenta noventa
dertig veertig vijftig zestig zeventig tachtig negentig
trettio fyrtio femtio sextio sjuttio attio nittio
trzydziesci czterdziesci piecdziesiat szescdziesiat siedemdziesiat osiemdziesiat dziewiecdziesiat
тридцать сорок пятьдесят шестьдесят семьдесят восемьдесят девяносто
τριαντα σαραντα πενηντα εξηντα εβδομηντα ογδοντα ενενηντα
ثلاثون اربعون خمسون ستون سبعون ثمانون تسعون
"""
_OTHERS = {
    "dozen": 12, "twelve": 12, "hundred": 100, "hundert": 100, "cent": 100, "cien": 100, "ciento": 100, "cem": 100,
    "honderd": 100, "hundra": 100, "hundre": 100, "sto": 100, "сто": 100, "εκατο": 100, "مئة": 100, "مائة": 100,
    "двух": 2, "две": 2, "двумя": 2, "трех": 3, "четырех": 4, "пяти": 5, "шести": 6, "семи": 7, "восьми": 8,
    "девяти": 9, "десяти": 10, "τρεισ": 3, "τεσσερισ": 4, "εφτα": 7, "οχτω": 8, "εννια": 9, "ثلاث": 3, "اربع": 4,
    "خمس": 5, "ست": 6, "سبع": 7, "ثماني": 8, "تسع": 9, "عشر": 10, "zwo": 2, "zweier": 2, "dreier": 3, "zwoelf": 12,
    "dreissig": 30,
}  # fmt: skip
# Words of one language that are something else in another, or beside a number anywhere.
_AMBIGUOUS = frozenset(
    "on to ni ti sei sex en et acht uno una once fire tre tien bir cent arton elf six-pack atta dort".split()
)
_KEPT = frozenset("once sei acht tre elf cent".split())
_FUSED = re.compile(r"(ein|zwei|drei|vier|funf|sechs|sieben|acht|neun)und(\w+)")
_CJK = re.compile("[零〇一二三四五六七八九十百千万萬亿億兆两兩]+")
_CJK_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "兩": 2}
_CJK_SCALES = {"十": 10, "百": 100, "千": 1000, "万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8, "兆": 10**12}
# What is counted behind a single numeral, which is a part of many other words (`一般`).
_COUNTED = frozenset(
    "人名年月日个個位歳岁歲つ本枚件回次家座所种種国國天周週倍条條匹台部町村市省州县縣館集章階层層隻头頭冊巻卷"
) | {"か", "ヶ"}


@functools.cache
def _table() -> dict[str, int]:
    table: dict[str, int] = {}
    for line in _TO_TWENTY.strip().splitlines():
        for value, word in enumerate(line.split()):
            if word != "-":
                table.setdefault(word, value)
    for line in _TENS.strip().splitlines():
        for value, word in enumerate(line.split(), 3):
            table.setdefault(word, 10 * value)
    return {fold(word): value for word, value in (table | _OTHERS).items() if word not in _AMBIGUOUS - _KEPT}


def number_words(text: str) -> Iterator[tuple[int, int, float]]:
    """Start, end and value of each number that stands in words; `one` alone is no number."""
    if any(c in text for c in _CJK_SCALES) or any(c in text for c in _CJK_DIGITS):
        yield from _cjk(text)
    run: list[tuple[int, int, str]] = []
    reach = 0  # where the run ends, with an `and` behind it
    for match in _WORDS.finditer(text):
        word, value = _known(match[0])
        if value is None and not run:
            continue
        if run and text[reach : match.start()].strip(" -"):
            yield from _composed(run)
            run = []
        if value is not None or (run and word in names().scales):
            run.append((match.start(), match.end(), word))
            reach = match.end()
        elif run and word in _JOINING:
            reach = match.end()  # `three hundred and five`: the word after it decides
        elif run:
            yield from _composed(run)
            run = []
    yield from _composed(run)


@functools.lru_cache(maxsize=1 << 15)
def _known(word: str) -> tuple[str, int | None]:
    folded = fold(word)
    return folded, _value(folded)


def _value(word: str) -> int | None:
    table = _table()
    if word in table:
        return table[word]
    if fused := _FUSED.fullmatch(word):
        tens = table.get(fused[2])
        return None if tens is None or tens % 10 else tens + (1 if fused[1] == "ein" else table[fused[1]])
    if "-" in word:
        parts = [table.get(part) for part in word.split("-") if part not in _JOINING]
        if len(parts) == 2 and parts[0] and parts[1] and parts[0] % 10 == 0 and parts[1] < 20:
            return parts[0] + parts[1]
    return None


def _composed(run: Sequence[tuple[int, int, str]]) -> Iterator[tuple[int, int, float]]:
    """The numbers of words in a row: `two hundred and five million` is one, `five six` are two."""
    total, part, start, last = 0.0, 0.0, 0, 0
    smallest = float("inf")
    scales = names().scales
    count = 0
    for begin, end, word in run:
        value = _value(word)
        if value is None:  # a scale
            total, part, last, smallest = total + max(part, 1) * scales[word], 0.0, end, scales[word]
        elif value == 100 and part and part < 100:
            part, last, smallest = part * 100, end, 100
        elif count and value < smallest and not (part and smallest <= 10 and value >= 10):
            part, last, smallest = part + value, end, 10 if value % 10 == 0 and value else 1
        else:
            if count:
                yield start, last, total + part
            total, part, start, last, count = 0.0, float(value), begin, end, 0
            smallest = 100 if value == 100 else 10 if value % 10 == 0 and value > 10 else 1
        count += 1
    if count and not (count == 1 and run[-1][2] in _ONES):
        yield start, last, total + part


def _cjk(text: str) -> Iterator[tuple[int, int, float]]:
    for match in _CJK.finditer(text):
        after = text[match.end() : match.end() + 1]
        before = text[match.start() - 1 : match.start()]
        if before.isdigit() or (len(match[0]) == 1 and (after not in _COUNTED or match[0] in "十百千万亿億兆一")):
            continue
        if (value := _cjk_value(match[0])) is not None:
            yield match.start(), match.end(), float(value)


def _cjk_value(word: str) -> int | None:
    if not any(c in _CJK_SCALES for c in word):
        return int("".join(str(_CJK_DIGITS[c]) for c in word)) if len(word) < 16 else None
    total, part, digit = 0, 0, 0
    for char in word[:40]:
        scale = _CJK_SCALES.get(char)
        if scale is None:
            digit = _CJK_DIGITS[char]
        elif scale < 10**4:
            part, digit = part + max(digit, 1) * scale, 0
        else:
            total, part, digit = total + max(part + digit, 1) * scale, 0, 0
    return total + part + digit
