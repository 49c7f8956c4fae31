"""The language of a question: by its script, or by the small words that only one language has."""

from __future__ import annotations

import re

from hds_cli.text.folding import words

NAMES = {
    "ar": "Arabic", "am": "Amharic", "bn": "Bengali", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek",
    "en": "English", "es": "Spanish", "fi": "Finnish", "fr": "French", "he": "Hebrew", "hi": "Hindi", "hu": "Hungarian",
    "hy": "Armenian", "it": "Italian", "ja": "Japanese", "ka": "Georgian", "km": "Khmer", "ko": "Korean", "lo": "Lao",
    "my": "Burmese", "nl": "Dutch", "no": "Norwegian", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian",
    "ru": "Russian", "sv": "Swedish", "ta": "Tamil", "te": "Telugu", "th": "Thai", "tr": "Turkish", "uk": "Ukrainian",
    "vi": "Vietnamese", "zh": "Chinese", "fa": "Persian",
}  # fmt: skip
_SCRIPTS = (
    ("ja", "\u3040-\u30ff"), ("zh", "\u4e00-\u9fff"), ("ko", "\uac00-\ud7af"), ("uk", "іїєґІЇЄҐ"),
    ("ru", "\u0400-\u04ff"), ("el", "\u0370-\u03ff"), ("fa", "پچژگ"), ("ar", "\u0600-\u06ff"),
    ("he", "\u0590-\u05ff"), ("hi", "\u0900-\u097f"), ("bn", "\u0980-\u09ff"), ("ta", "\u0b80-\u0bff"),
    ("te", "\u0c00-\u0c7f"), ("th", "\u0e00-\u0e7f"), ("lo", "\u0e80-\u0eff"), ("my", "\u1000-\u109f"),
    ("ka", "\u10a0-\u10ff"), ("am", "\u1200-\u137f"), ("km", "\u1780-\u17ff"), ("hy", "\u0530-\u058f"),
)  # fmt: skip
_READ = 2000  # characters
_DISTINCT = 4  # small words of a language, each counted once, that tell that of a page
_QUOTED = 0.1  # share of letters up to which a page only names something in another script
_LETTERS = tuple((code, re.compile(f"[{letters}]")) for code, letters in _SCRIPTS)
_SMALL = {
    "en": "the of is are was were what which who how many does did in and to for with by from when where why has have",
    "de": "der die das ist sind wer wie was welche welcher welches wo wann warum und im den dem von viele hat eine",
    "fr": "le la les est sont qui que quel quelle quels où quand pourquoi comment combien et des du dans une un au aux",
    "es": "el los las es son quién qué cuál cuáles dónde cuándo cómo cuántos cuántas por y del una un en la de",
    "it": "il lo gli è sono chi che quale quali dove quando perché come quanti quante e della del una nel di",
    "pt": "o os as é são quem que qual quais onde quando como quantos quantas e da do uma um em no na",
    "nl": "de het is zijn wie wat welke waar wanneer waarom hoe hoeveel en van een in op heeft",
    "sv": "är vem vad vilken vilka var när varför hur många och i på den det som av en ett har",
    "da": "er hvem hvad hvilken hvilke hvor hvornår hvorfor hvordan mange og den det som af en et har",
    "no": "er hvem hva hvilken hvilke hvor når hvorfor hvordan mange og den det som av en et har",
    "fi": "on ovat kuka mikä mitkä missä milloin miksi miten kuinka monta ja",
    "pl": "jest są kto co jaki jaka jakie który która gdzie kiedy dlaczego jak ile i w na się",
    "cs": "je jsou kdo co jaký jaká které který kde kdy proč jak kolik a v na se",
    "hu": "ki mi melyik hol mikor miért hogyan hány és a az van egy",
    "ro": "este sunt cine ce care unde când cum câți câte și al a din un o în",
    "tr": "kim ne nedir hangi nerede kaç nasıl neden niçin ve bir mi mı bu",
    "vi": "là của ai gì nào ở đâu khi bao nhiêu và các có những được",
}  # fmt: skip
_WORDS = {code: frozenset(small.split()) for code, small in _SMALL.items()}


def language_of(text: str) -> str | None:
    """The code of a text's language; None where nothing tells it."""
    text = text[:_READ]
    if code := _by_script(text, 0):
        return code
    has = words(text.lower())
    best, count = _most({code: sum(word in small for word in has) for code, small in _WORDS.items()})
    return best if 4 * count >= len(has) else None


def page_language(text: str) -> str | None:
    """The code of the language of a page; None where nothing tells it.

    Its figures and lists have few small words, one of which may be something else many times over (`est.`), and it may
    name things in another script.
    """
    text = text[:_READ]
    if code := _by_script(text, _QUOTED):
        return code
    has = set(words(text.lower()))
    best, count = _most({code: len(has & small) for code, small in _WORDS.items()})
    return best if count >= _DISTINCT else None


def _by_script(text: str, share: float) -> str | None:
    """The language that most letters tell, or more than a share of them that no other language has."""
    if text.isascii():
        return None
    letters = sum(map(str.isalpha, text))
    for code, pattern in _LETTERS:
        count = len(pattern.findall(text))
        if 3 * count > letters or (code in ("ja", "uk", "fa") and count > share * letters):
            return code
    return None


def _most(counts: dict[str, int]) -> tuple[str | None, int]:
    """The language with most words, and how many; None: two have as many."""
    best, second = sorted(counts, key=lambda code: -counts[code])[:2]
    return (best if counts[best] > counts[second] else None), counts[best]


def is_small(word: str) -> bool:
    """True for one of the small words of a language, such as those that ask: `what`, `quelle`, `cuál`."""
    return any(word.lower() in small for small in _WORDS.values())


def answer_language(code: str | None) -> str:
    """The language to answer in, as a prompt names it. Example: `German` for `de`."""
    return NAMES.get(code or "", code) or "the language of the question"
