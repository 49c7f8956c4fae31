"""Markup inside a line of HTML, made text before parsing: raised and lowered signs, struck words, formulas.

Two figures that touch make a third: `10<sup>6</sup>` reads 106, a footnote's mark makes 4200 into 42003. Here each of
them becomes plain text. It is done on the markup, in one pass, because a tree's elements cannot be taken out in linear
time (lxml's `strip_tags("span")`: 40,000 take 86 s).
"""

from __future__ import annotations

import html as entities
import itertools
import re
from collections.abc import Collection

# Tags inside a line: most of them only change how a phrase looks, and go; their text stays.
_TOKEN = re.compile(
    r"<(/?)(?=[sbieufktvmacdr])(span|su[bp]|b|strong|i|em|u|font|small|big|tt|kbd|samp|var|mark|abbr|cite|del|s|strike|math|rt|rp|svg)"
    r"(?=[\s>/])([^<>]*)>",
    re.I,
)
_RAW = re.compile(r"<(script|style)(?=[\s>/])([^<>]*)>", re.I)
_RAW_END = {name: re.compile(rf"</{name}\s*>", re.I) for name in ("script", "style")}
_STRUCK = re.compile(
    r"line-through|(?:class\s*=\s*[\"'][^\"']*?(?<![a-z])(?:strike|strikethrough|struck|old-price|price-old|was-price"
    r"|price-was)(?![a-z]))|role\s*=\s*[\"']?deletion",
    re.I,
)
_UNSEEN = re.compile(
    r"\b(?:katex-html|MathJax(?:_Preview|_SVG|_CHTML|_Display)?|linenos?|line-?numbers?(?:-rows)?|hljs-ln-n(?:umbers)?"
    r"|mw-editsection|lineno)\b(?![a-z-])|display:\s*none",
    re.I,
)
_STRIKE = frozenset(("del", "s", "strike"))
_TELLING = frozenset(("del", "s", "strike", "math", "rt", "rp", "svg"))  # have a meaning without attributes
_FAQ = re.compile(r"faq-question", re.I)
_RAISED = re.compile(r"<su([pb])\b[^<>]*>((?:(?!</?su[pb]\b)[\s\S]){0,400}?)</su\1\s*>", re.I)
_NOTE_ANCHOR = re.compile(
    r"<a\b([^<>]*)>\s*(?:\[\s*[\w*]{1,3}\s*\]|\(\s*\d{1,3}\s*\)|\d{1,3}|[*†‡§¶⁎]{1,3}|[¹²³⁰⁴-⁹]{1,3}|↩︎?|↑)?\s*</a\s*>",
    re.I,
)
_NOTE_LINK = re.compile(
    r"href\s*=\s*[\"']?[^\"'\s>]*#|noteref|footnote|endnote|(?<![a-z])(?:fn|reference)(?![a-z])", re.I
)
_LINK = re.compile(r"<a\b([^<>]*)>", re.I)
_LINK_TAG = re.compile(r"</?a(?=[\s>/])[^<>]*>", re.I)
MAX_LINKS = 4000
_TAGS = re.compile(r"<[^<>]*>")
_ENDS_IN_TAGS = re.compile(r"(?:<[^<>]*>|\s(?=<))*$")
_MATH_SCRIPT = re.compile(r"math/(?:tex|asciimath)", re.I)
_DISPLAY = re.compile(r"mode\s*=\s*display|display\s*=\s*[\"']?block", re.I)
_ANNOTATION = re.compile(r"<annotation\b[^<>]*(?:x-tex|latex|TeX)[^<>]*>([^<]*)<", re.I)
_ALTTEXT = re.compile(r"alttext\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.I)
_IMAGE = re.compile(r"<img\b[^<>]{0,4000}>", re.I)
_FORMULA_CLASS = re.compile(
    r"\bclass\s*=\s*(?:\"[^\"]*|'[^']*)(?<![a-z])(mwe-math-fallback|tex|latex|math|equation)(?![a-z])", re.I
)
_ALT = re.compile(r"\balt\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.I)
_BLOCK_TAG = re.compile(
    r"</?(?:p|div|li|td|th|tr|table|ul|ol|dl|dt|dd|h[1-6]|section|article|br|blockquote|pre|figure|body)\b", re.I
)
_ISOTOPE = re.compile(r"[A-Z][a-z]?(?![a-z])")
_ORDINAL = frozenset(
    "st nd rd th er re e eme ème ere ère de ste te o a os as do mo me mme lle mes lles le bis ter".split()
)
_NOT_NOTES = frozenset(
    "m cm mm km dm dam hm nm µm μm um ft in yd mi metre metres meter meters kilometre kilometres kilometer kilometers "
    "feet foot inch inches mile miles yard yards sq м км см мм sin cos tan cot sec csc log ln exp".split()
)
_SIGNS = {
    "tm": "™",
    "sm": "℠",
    "r": "®",
    "®": "®",
    "©": "©",
    "™": "™",
    "℠": "℠",
    "°": "°",
    "º": "º",
    "ª": "ª",
    "′": "′",
    "″": "″",
}
_NOTE = re.compile(r"\[[^\[\]]{1,12}\]|\(\d{1,3}\)|[*†‡§¶⁎#]{1,4}|\d{1,3}(?:\s*[,–-]\s*\d{1,3})+")
_MAX_FORMULA = 20_000


def settled(markup: str) -> str:
    """The markup with its phrases as plain text: linear in its length.

    - `10<sup>6</sup>` -> `10^6`, `m<sup>2</sup>` -> `m²`, `1<sup>st</sup>` -> `1st`, `H<sub>2</sub>O` -> `H2O`,
      `x<sub>1</sub>` -> `x_1`; marks that lead to a note go.
    - Struck text (`del`, `s`, `strike`, a line through it) goes, unless that is most of the page.
    - A formula becomes its TeX in `\\(…\\)`, or what its MathML says.
    - The small type above a character (`rt`) goes; `b`, `i`, `span` and their kind leave their text.
    """
    markup = _without_programs(markup)
    if any(word in markup for word in ("latex", "math", '"tex')):
        markup = _IMAGE.sub(_image, markup)
    markup = _with_fewer_links(_phrases(markup))
    return _NOTE_ANCHOR.sub(lambda anchor: "" if _is_note_anchor(anchor, markup) else anchor[0], markup)


def _with_fewer_links(markup: str) -> str:
    """The markup without its links after the first `MAX_LINKS`: taking them out of a tree is quadratic."""
    if markup.count("<a") + markup.count("<A") <= MAX_LINKS:
        return markup
    place = next(itertools.islice(_LINK.finditer(markup), MAX_LINKS, None), None)
    at = place.start() if place else len(markup)
    return markup[:at] + _LINK_TAG.sub("", markup[at:])


def _without_programs(markup: str) -> str:
    """The markup without scripts and styles, whose strings hold tags; formulas and JSON-LD in a `script` stay."""
    out: list[str] = []
    at = 0
    while raw := _RAW.search(markup, at):
        end = _RAW_END[raw[1].lower()].search(markup, raw.end())
        if end is None:  # the rest of the page is the program, as browsers read it
            break
        out.append(markup[at : raw.start()])
        at = end.end()
        if _MATH_SCRIPT.search(raw[2]):
            tex = entities.unescape(markup[raw.end() : end.start()])
            out.append(_delimited(tex, bool(_DISPLAY.search(raw[2]))))
        elif "json" in raw[2].lower():
            out.append(markup[raw.start() : at])
    return "".join([*out, markup[at:]])


def _phrases(markup: str) -> str:
    tokens = list(_TOKEN.finditer(markup))
    names = [token[2].lower() for token in tokens]
    if "sup" in names or "sub" in names:
        markup = _raised(markup)
        tokens = list(_TOKEN.finditer(markup))
        names = [token[2].lower() for token in tokens]
    ends = _pairs(tokens, names)
    struck = {n for n in ends if names[n] in _STRIKE or (tokens[n][3] and _STRUCK.search(tokens[n][3][:2000]))}
    if sum(tokens[ends[n]].start() - tokens[n].end() for n in struck) > len(markup) / 2:
        struck = set()
    out: list[str] = []
    at = 0
    for number, token in enumerate(tokens):
        start, end = token.span()
        if start < at:
            continue  # inside what was left out
        out.append(markup[at:start])
        at = end
        name, attributes, last = names[number], token[3], ends.get(number)
        if last is None or not (attributes or name in _TELLING):
            if name in ("math", "svg"):
                out.append(token[0])
            continue
        inside = markup[end : tokens[last].start()]
        if name == "svg":
            at = tokens[last].end()
        elif name == "math":
            out.append(_formula(inside, attributes))
            at = tokens[last].end()
        elif number in struck or name in ("rt", "rp") or _UNSEEN.search(attributes[:2000]):
            out.append("" if name in ("rt", "rp") else " ")
            at = tokens[last].end()
        elif name == "strong" and _FAQ.search(attributes[:2000]):
            out.append(f"<h3>{inside}</h3>")
            at = tokens[last].end()
    out.append(markup[at:])
    return "".join(out)


def _pairs(tokens: list[re.Match[str]], names: list[str]) -> dict[int, int]:
    """The number of the end tag of each start tag; starts that are never closed have none."""
    ends: dict[int, int] = {}
    waiting: dict[str, list[int]] = {}
    for number, name in enumerate(names):
        if not tokens[number][1]:
            if not tokens[number][3].endswith("/"):
                waiting.setdefault(name, []).append(number)
        elif stack := waiting.get(name):
            ends[stack.pop()] = number
    return ends


# -- raised and lowered ---------------------------------------------------------
def _raised(markup: str) -> str:
    notes = {_shown(m[2]) for m in _RAISED.finditer(markup) if m[1] in "pP" and _opens_block(markup, m.start())}
    for _ in range(2):  # a power of a power
        if not _RAISED.search(markup):
            break
        source = markup
        markup = _RAISED.sub(lambda m, source=source: _plain(m, source, notes), source)  # type: ignore[misc]
    return markup


def _plain(mark: re.Match[str], source: str, notes: set[str]) -> str:
    inner = _shown(mark[2])
    if not inner:
        return ""
    before = source[max(0, mark.start() - 160) : mark.start()]
    inside_link = _LINK.search(before.rpartition("</a")[2] if "</a" in before.lower() else before)
    tags = _ENDS_IN_TAGS.search(before)
    opens = tags is not None and (tags.start() == 0 or bool(_BLOCK_TAG.search(tags[0])))
    base = "" if opens and tags is not None else _TAGS.sub("", before[: tags.start()] if tags else before)
    after = _TAGS.sub("", source[mark.end() : mark.end() + 60])[:8]
    if mark[1] in "bB":
        text = lowered(inner, base)
    else:
        link = _LINK.search(mark[2])
        leads = bool((link and _NOTE_LINK.search(link[1])) or (inside_link and _NOTE_LINK.search(inside_link[1])))
        if leads or _NOTE_LINK.search(mark[0][: mark[0].index(">")]):
            return ""
        text = lifted(inner, base, after, notes)
    return text + " " if text and text[-1:].isdigit() and after[:1].isdigit() else text


def _is_note_anchor(anchor: re.Match[str], markup: str) -> bool:
    """True for `4200<a href="#fn3">3</a>`: a link within the page, to a number, that touches what stands before it."""
    if anchor[0][anchor.end(1) - anchor.start() + 1 :].partition("<")[0].strip() == "":
        return True  # an empty link: trafilatura takes its paragraph for a list of links
    if not _NOTE_LINK.search(anchor[1][:2000]):
        return False
    before = markup[max(0, anchor.start() - 40) : anchor.start()]
    return before != "" and not before[-1].isspace() and before[-1] != ">" and not before.endswith("..")


def _opens_block(markup: str, at: int) -> bool:
    """True when nothing but a block's start stands before, as before a note's own text: `<p><sup>3</sup> Census …`."""
    before = markup[max(0, at - 120) : at].rstrip()
    return bool(
        re.search(r"<(?:p|li|div|dd|td|br|blockquote|small)\b[^<>]*>(?:<(?:a|span|small|i|b)\b[^<>]*>)*$", before, re.I)
    )


def lowered(inner: str, base: str) -> str:
    """A lowered sign as it stands in a line after `base`: `2` of `H2O`, `_1` of `x_1`."""
    last = base[-1:]
    if not last or last.isspace():
        return inner
    element = re.search(r"(?:^|[^a-z])[A-Z][a-z]?$|[)\]]$", base[-4:])
    if re.fullmatch(r"\d{1,3}", inner) and element:
        return inner
    if re.fullmatch(r"[nxy]|\d+[–-]\d+", inner) and element:
        return inner
    return f"_{inner}" if re.fullmatch(r"[\w.]+", inner) else f"_({inner})"


def lifted(inner: str, base: str, after: str = "", notes: Collection[str] = ()) -> str:
    """A raised sign as it stands in a line after `base`: `^6`, `²`, `st`, nothing for the mark of a note."""
    last = base[-1:]
    low = inner.lower()
    if low in _SIGNS and not (low == "r" and last in ")"):
        return _SIGNS[low]
    if _NOTE.fullmatch(inner):
        return ""
    if low in ("o", "0") and base.rstrip()[-1:].isdigit() and re.match(r"\s?[CFK]\b", after):
        return "°"
    if not last or last.isspace():  # an isotope's mass, a note's own number, or a note's mark after a blank
        if _ISOTOPE.match(after):
            return inner
        return "" if last and re.fullmatch(r"\d{1,3}", inner) else inner + " "
    if low in _ORDINAL and last.isalnum():
        return inner
    if re.fullmatch(r"\d\d", inner) and (
        re.search(r"[$€£¥₹]\s?\d[\d,.]*$", base[-14:]) or re.match(r"\s?[$€£¥₹]", after)
    ):
        return f".{inner}"
    if re.fullmatch(r"\d{1,3}", inner) and _is_note(inner, base, notes):
        return ""
    if inner in ("2", "3") and last.isalpha():
        return "²" if inner == "2" else "³"
    if re.fullmatch(r"[+\-−–±]?[\w.]+[+\-−–]?", inner):
        return f"^{inner}"
    return f"^({inner})"


def _is_note(mark: str, base: str, notes: Collection[str]) -> bool:
    """True when a raised number after `base` is the number of a note, not a power."""
    word = re.search(r"[^\W\d_]+$", base[-30:])
    if word and (word[0].lower() in _NOT_NOTES or len(word[0]) <= 2):
        return False
    if mark in notes or word:
        return True
    return base[-1:] in ".,;:!?”’»\"'。、，…"


def _shown(markup: str) -> str:
    return " ".join(entities.unescape(_TAGS.sub("", markup)).split())


# -- formulas -------------------------------------------------------------------
def _image(tag: re.Match[str]) -> str:
    """A picture of a formula as the TeX in its `alt`; the one beside a `<math>` goes."""
    kind = _FORMULA_CLASS.search(tag[0])
    text = _ALT.search(tag[0]) if kind else None
    if kind is None or text is None:
        return tag[0]
    return (
        "" if kind[1].lower() == "mwe-math-fallback" else _delimited(entities.unescape(text[1] or text[2] or ""), False)
    )


def _formula(inside: str, attributes: str) -> str:
    display = bool(_DISPLAY.search(attributes))
    if match := _ANNOTATION.search(inside):
        return _delimited(entities.unescape(match[1]), display)
    if (match := _ALTTEXT.search(attributes)) and (match[1] or match[2]):
        return _delimited(entities.unescape(match[1] or match[2]), display)
    return entities.escape(f" {_mathml(inside)} ", quote=False)


def _delimited(tex: str, display: bool) -> str:
    tex = " ".join(tex.split())
    if match := re.fullmatch(r"\{\\(?:display|text)style\s*(.*)\}", tex):
        tex = match[1].strip()
    if not tex:
        return ""
    return entities.escape(f"\\[{tex}\\]" if display else f"\\({tex}\\)", quote=False)


def _mathml(inside: str) -> str:
    """Presentation MathML on one line: `(a)/(b)`, `x^2`, `x_1`, `√(x)`."""
    from hds_cli.extract.markup import parse_xml

    plain = _shown(re.sub(r"<annotation\b[\s\S]*?</annotation[^<>]*>", "", inside[:_MAX_FORMULA]))
    root = parse_xml(f"<math>{inside}</math>") if len(inside) <= _MAX_FORMULA else None
    if root is None or max((depth for depth in _depths(root)), default=0) > 60:
        return plain
    return " ".join(_math_text(root).split()) or plain


def _depths(root: object) -> list[int]:
    out: list[int] = []
    stack = [(root, 0)]
    while stack:
        node, depth = stack.pop()
        out.append(depth)
        if depth <= 60:
            stack.extend((child, depth + 1) for child in node)  # type: ignore[attr-defined]
    return out


def _math_text(node: object) -> str:
    tag = node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""  # type: ignore[attr-defined]
    if tag in ("annotation", "annotation-xml", ""):
        return ""
    parts = [_math_text(child) for child in node]  # type: ignore[attr-defined]
    if not parts:
        text = str(node.text or "").strip()  # type: ignore[attr-defined]
        signs = "=+-−±×·<>≤≥≠≈→"
        first = node.getprevious() is None  # type: ignore[attr-defined]
        return f" {text} " if tag == "mo" and text in signs and not first else text
    if tag == "mfrac" and len(parts) == 2:
        return f"{_grouped(parts[0])}/{_grouped(parts[1])}"
    if tag in ("msup", "mover") and len(parts) == 2:
        return f"{parts[0]}^{_grouped(parts[1])}"
    if tag in ("msub", "munder") and len(parts) == 2:
        return f"{parts[0]}_{_grouped(parts[1])}"
    if tag in ("msubsup", "munderover") and len(parts) == 3:
        return f"{parts[0]}_{_grouped(parts[1])}^{_grouped(parts[2])}"
    if tag == "msqrt":
        return f"√{_grouped(''.join(parts))}"
    if tag == "mroot" and len(parts) == 2:
        return f"{_grouped(parts[0])}^(1/{parts[1]})"
    if tag in ("mtr", "mlabeledtr"):
        return ", ".join(parts) + "; "
    return "".join(parts)


def _grouped(text: str) -> str:
    text = text.strip()
    return text if len(text) <= 1 or text.isalnum() else f"({text})"
