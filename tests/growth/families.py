"""Texts of a given length, each made to be slow or to swell in one way; what a hostile page is made of."""

from __future__ import annotations

from collections.abc import Callable

Family = Callable[[int], str]


def _of(unit: str, before: str = "", after: str = "") -> Family:
    return lambda size: before + unit * max(1, (size - len(before) - len(after)) // len(unit)) + after


def _long_heading(size: int) -> str:
    return "# " + "heading " * (size // 24) + "\n\n" + "A short one.\n\n" * (size * 2 // 3 // 14)


def _pyramid(size: int) -> str:
    """Openings, and as many closings."""
    return "([{" * (size // 6) + "}])" * (size // 6)


def _growing_words(size: int) -> str:
    """Words that share their beginnings and get longer, as far as the size goes."""
    longest = max(2, int((2 * size) ** 0.5))
    return " ".join("a" * length for length in range(1, longest))


def _signs_and_blanks(blank: str) -> Family:
    """Each sign that a pattern may begin with, and a run of blanks that the pattern may allow there."""
    signs = "([{<|.,;:\"'-=*#\\/&!?%1a"
    return lambda size: "".join(sign + blank * (size // len(signs)) for sign in signs)


FAMILIES: dict[str, Family] = {
    "initials": _of("A. "),
    "abbreviations": _of("Dr. U.S. e.g. No. "),
    "opening brackets": _of("("),
    "closing brackets": _of(")"),
    "bracket pairs": _of("() "),
    "nesting": _pyramid,
    "square brackets": _of("["),
    "braces": _of("{"),
    "angle brackets": _of("<"),
    "quotes": _of('"'),
    "quoted words": _of('"a" '),
    "typographic quotes": _of("“a” ’ "),
    "dots": _of("."),
    "parted dots": _of(". "),
    "exclamations": _of("!? "),
    "headings": _of("## h\n\n"),
    "one long heading": _long_heading,
    "long headings": _of("# " + "word " * 50 + "\n\nx\n\n"),
    "hash signs": _of("#"),
    "blanks": _of(" ", "a", "b"),
    "tabs": _of("\t", "a", "b"),
    "empty lines": _of("\n", "a", "b"),
    "hard blanks": _of("\u00a0", "a", "b"),
    "signs and blanks": _signs_and_blanks(" "),
    "signs and empty lines": _signs_and_blanks("\n"),
    "brackets and digits": _of("[1 "),
    "openings without an end": _of("<svg <script <template "),
    "zero width": _of("a\u200b"),
    "combining marks": _of("\u0301", "a"),
    "mixed marks": _of("\u0301\u0316\u0327", "a"),
    "accents": _of("e\u0301 "),
    "long word": _of("a"),
    "growing words": _growing_words,
    "capitals": _of("Ab Cd "),
    "possessives": _of("Ann's "),
    "hyphens": _of("a-b-"),
    "underscores": _of("_a"),
    "digits": _of("7"),
    "numbers": _of("12,345.67 "),
    "parted digits": _of("1,234,"),
    "dates": _of("2 May 2021, "),
    "units": _of("5 km/h "),
    "number words": _of("twenty-one hundred and "),
    "sums": _of("1 + 2 = 3; "),
    "percent signs": _of("%41"),
    "chinese": _of("東京都は"),
    "kana": _of("が"),
    "hangul": _of("\u1100\u1161"),
    "arabic": _of("شجرة "),
    "emoji": _of("👩\u200d🚀"),
    "fullwidth": _of("Ａ１"),
    "one wide letter": _of("The walrus sleeps. ", "👩 "),
    "expanding": _of("\ufdfa"),
    "links": _of("[a](http://b.example/c) "),
    "addresses": _of("http://b.example/c?d=e&"),
    "parameters": _of("a=b&"),
    "slashes": _of("a/"),
    "table rows": _of("| a | b |\n"),
    "table bars": _of("|"),
    "lists": _of("- item\n"),
    "numbered lists": _of("1. item\n"),
    "fences": _of("```\n"),
    "emphasis": _of("*a_"),
    "tags": _of("<b>x</b>"),
    "open tags": _of("<a b='"),
    "entities": _of("&amp;"),
    "comments": _of("<!-- "),
    "keys": _of("key: value; "),
    "marks": _of("word [1]. "),
    "boxes": _of("\\boxed{"),
    "formulas": _of("\\frac{1}{2} "),
    "control tokens": _of("<|im_end|>"),
    "backslashes": _of("\\"),
    "secrets": _of("api_key="),
    "sentences": _of("The walrus sleeps on ice, and it sings. "),
}
