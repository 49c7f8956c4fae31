"""A page's tree made ready for trafilatura: what it would drop although it is content, and what it must not write.

Lists, tables and code get a number into their text; where trafilatura keeps one, `written` says it as it stands in the
page. Everything here looks at each element a bounded number of times.
"""

from __future__ import annotations

import functools
import re
from typing import Any

from hds_cli.extract import flow

_LISTS = ("ul", "ol", "dl")
_OUTER = (*_LISTS, "table", "pre")
_ENDS = frozenset(
    (*_OUTER, "body", "nav", "header", "footer", "aside", "menu")
)  # elements of the page's furniture stay as they are
# A number is one letter for private use: trafilatura weighs a text by its length and looks for words in it. A page that
# has such a letter itself (fonts of icons do) gets no more by it than one of its own lists.
_SIGNS = 6400 + 65534
_NUMBER = re.compile("[\ue000-\uf8ff\U000f0000-\U000ffffd]")
_BOILERPLATE = re.compile(
    r"(?i)(?<![a-z])(?:nav|navbar|navbox|navigation|menu|sidebar|breadcrumbs?|share|social|related|footer|toc|calendar"
    r"|pagination|pager|tags?|widget|comments?|metadata|mbox|ambox|catlinks|vertical-navbox)(?![a-z])"
)
_LEADS_AWAY = re.compile(
    r"(?i)\b(?:related|read (?:more|next|also)|see also|more (?:on|from|stories|news|articles)|share|follow|subscribe"
    r"|popular|trending|latest|recommended|recent|tags?|topics?|filed under|categories|archives?|comments?|sponsored"
    r"|you (?:may|might)|advertisement|links?|contents|further reading|references|sign up|newsletter)\b"
)
_OPENS = re.compile(r"(?i)accordion|collaps|faq|toggle|question|expand|disclosure")
_OPENER = re.compile(
    r"(?i)(?:accordion|faq|collaps[a-z]{0,8}|toggle)[-_]{0,2}(?:item[-_]{0,2})?"
    r"(?:button|title|head(?:er|ing)?|question|trigger|label)|(?<![a-z])question(?![a-z])"
)
_MAY_OPEN = frozenset(("button", "a", "div", "p", "label", "h2", "h3", "h4", "h5", "h6"))
_NUMBERED = re.compile(
    r"(?i)(?:fig(?:ure|\.)?|table|tab\.|chart|diagram|map|graph|abb(?:ildung|\.)|tabelle|figura|cuadro|рис\.?|табл\.?|图|図|表)\s*\d"
)
_CREDIT = re.compile(
    r"(?i)photo|image|credit|courtesy|getty|reuters|\bap\b|\bafp\b|©|\(c\)|copyright|shutterstock|picture|screenshot|/[A-Z]"
)
_DIGIT = re.compile(r"\d")
_MAX_TIMES = 300
_COLON = (":", "：")


class Shapes:
    """The lists, tables and code of a page, each with a number in its text: a list one in each of its items.

    Args:
        tree: the page; it is changed.
        markup: what it was made of.
    """

    def __init__(self, tree: Any, markup: str) -> None:
        _unwrap_layout(tree)
        _mark_article(tree)
        _questions(tree, markup)
        _captions(tree)
        self._parts: list[tuple[Any, Any]] = []  # number -> the list, table or code it stands for, and the item in it
        for node in list(tree.iter(*_OUTER)):
            above = node.getparent()
            while above is not None and above.tag not in _ENDS:
                above = above.getparent()
            if above is None or above.tag == "body":
                self._mark(node)

    def _mark(self, node: Any) -> None:
        if (node.tag == "table" and _is_content(node)) or (node.tag in _LISTS and _is_announced(node)):
            for link in node.iter("a"):
                link.tag = "em"
        elif node.tag in _LISTS and _is_further_reading(node):
            node.drop_tree()
            return
        if node.tag == "table":
            flow.keep_spans(node)
        items = list(node.iterchildren("li", "dt", "dd")) if node.tag in _LISTS else []
        for item in items or [node]:
            if _number(item, len(self._parts)):
                self._parts.append((node, item))

    def written(self, text: str, done: set[Any]) -> list[str] | None:
        """The text of the lists, tables and code that the numbers in `text` stand for; None without numbers.

        Args:
            done: what was written already, which is brought up to date.
        """
        if not (numbers := [_of_sign(sign) for sign in _NUMBER.findall(text)]):
            return None
        kept: dict[Any, set[Any]] = {}
        for number in numbers:
            if 0 <= number < len(self._parts):
                node, item = self._parts[number]
                kept.setdefault(node, set()).add(item)
        out = [_written(node, items) for node, items in kept.items() if node not in done]
        done.update(kept)
        return out


def unmarked(text: str) -> str:
    """The text without numbers of ours."""
    return _NUMBER.sub("", text)


def _of_sign(sign: str) -> int:
    code = ord(sign)
    return code - 0xE000 if code < 0xF0000 else code - 0xF0000 + 6400


def is_marked(text: str | None) -> bool:
    """True when a number of ours stands first in the text."""
    return bool(text) and _NUMBER.match(str(text).lstrip()) is not None


def _number(node: Any, number: int) -> bool:
    """Put a number before the first words below a node; False when it has none."""
    if number >= _SIGNS:
        return False
    sign = chr(0xE000 + number if number < 6400 else 0xF0000 + number - 6400)
    for part in node.iter():
        if isinstance(part.tag, str) and part.text and not part.text.isspace() and part.tag not in ("script", "style"):
            part.text = f"{sign}{part.text}" if part.tag == "pre" else f"{sign}{part.text.lstrip()}"
            return True
        if part is not node and part.tail and not part.tail.isspace():
            part.tail = f" {sign}{part.tail.lstrip()}"
            return True
    return False


def _written(node: Any, items: set[Any]) -> str:
    if node.tag == "pre":
        return unmarked(flow.code(node))
    if node.tag == "table":
        return unmarked(flow.table(node))
    gone = {item for item in node.iterchildren("li", "dt", "dd") if item not in items}
    return unmarked("\n\n".join(flow.blocks_of(node, 0, gone)))


def _unwrap_layout(tree: Any) -> None:
    """Tables that only arrange a page (their cells hold headings, or tables) become blocks, or all would be one row.

    The cell with most text becomes the article, where the page names none and its title stands there.
    """
    layout: dict[Any, None] = {}
    for inner in tree.iter("h1", "h2", "table"):
        cell = _above(inner, ("td", "th", "table", "caption"))
        if cell is not None and cell.tag == "td" and (table := _above(cell, ("table",))) is not None:
            layout[table] = None
    cells: list[Any] = []
    for table in layout:
        for group in [table, *table.iterchildren("tbody", "thead", "tfoot")]:
            for row in list(group.iterchildren("tr")):
                own = list(row.iterchildren("td", "th"))
                cells += own
                for part in (*own, row):
                    part.tag = "div"
            group.tag = "div"
    if not cells or tree.find(".//article") is not None or tree.find(".//main") is not None:
        return
    above = set(cells)
    for cell in cells:
        above.difference_update(one for one in cell.iterancestors() if one in above)
    largest = max((cell for cell in cells if cell in above), key=lambda cell: len(cell.text_content()))
    if largest.find(".//h1") is not None:
        largest.tag = "article"


def _above(node: Any, tags: tuple[str, ...]) -> Any:
    return next((above for above in node.iterancestors() if above.tag in tags), None)


def _mark_article(tree: Any) -> None:
    """Mark the text of a MediaWiki page as its article: trafilatura keeps no heading of a page without an article."""
    if tree.find(".//article") is None and tree.find(".//main") is None:
        for article in tree.xpath("//div[contains(concat(' ', @class, ' '), ' mw-parser-output ')]")[:1]:
            article.tag = "article"


def _questions(tree: Any, markup: str) -> None:
    """Make the opener of a panel its heading: trafilatura drops buttons, and answers without questions are no use."""
    for node in _openers(tree, markup):
        if not _opens(node):
            continue
        words = " ".join(node.text_content().split())
        if not 3 <= len(words) <= 300 or node.find(".//p") is not None or node.find(".//ul") is not None:
            continue
        heading = _heading_around(node)
        if not _panel(heading if heading is not None else node):
            continue
        if heading is not None and heading is not node:
            node.tag = "em"
        elif heading is None:
            node.tag = "h3"


def _openers(tree: Any, markup: str) -> list[Any]:
    """The elements that may open a panel. Only markup with the names of their attributes is searched (it is slow)."""
    nodes = list(tree.iter("button"))
    if any(name in markup for name in ("aria-expanded", "data-toggle", "data-bs-toggle", 'role="button"')):
        nodes += [node for node in _by_attribute()(tree) if node.tag in _MAY_OPEN]
    if any(name in markup for name in ("ccordion", "faq", "FAQ", "Faq", '"question', 'question"', "-question")):
        nodes += [node for node in _by_class()(tree) if node.tag in _MAY_OPEN]
    return list(dict.fromkeys(nodes))


@functools.cache
def _by_attribute() -> Any:
    from lxml import etree

    return etree.XPath("descendant::*[@aria-expanded or @data-toggle or @data-bs-toggle or @role='button']")


@functools.cache
def _by_class() -> Any:
    from lxml import etree

    named = " or ".join(f"contains(@class, '{part}')" for part in ("ccordion", "faq", "FAQ", "Faq", "uestion"))
    tags = "|".join(f"descendant::{tag}" for tag in ("div", "p", "label", "h3", "h4"))
    return etree.XPath(f"({tags})[{named}]")


def _opens(node: Any) -> bool:
    named = (node.get("class") or "")[:1000]
    if node.tag == "label":
        return bool(node.get("for")) and bool(_OPENS.search(named))
    if node.tag == "button" or node.get("role") == "button":
        return True
    if node.get("data-toggle") or node.get("data-bs-toggle"):
        return True
    if node.get("aria-expanded") is None and not _OPENER.search(named):
        return False
    return node.tag != "a" or bool(node.get("aria-expanded") or node.get("aria-controls"))


def _heading_around(node: Any) -> Any:
    above = node
    for _ in range(3):
        if above is None:
            return None
        if above.tag in ("h1", "h2", "h3", "h4", "h5", "h6", "summary", "dt"):
            return above
        above = above.getparent()
    return None


def _panel(node: Any) -> bool:
    """True when a block of text that is not mostly links follows: beside the node, or beside what holds it alone."""
    for _ in range(3):
        beside = node.getnext()
        while beside is not None and beside.tag in ("input", "svg", "br", "hr", "i"):
            beside = beside.getnext()
        if beside is not None:
            if beside.tag in (
                "nav",
                "form",
                "button",
                "menu",
                "script",
                "a",
                "input",
                "select",
                "pre",
                "code",
                "table",
            ):
                return False
            size = len("".join(beside.itertext()).strip())
            linked = sum(len("".join(link.itertext())) for link in beside.iter("a"))
            return size > 0 and linked < 0.6 * size
        node = node.getparent()
        if node is None or node.tag in ("body", "main", "article", "nav", "header", "footer"):
            return False
    return False


def _captions(tree: Any) -> None:
    """Figures of code, tables or numbers are blocks like others, pictures go; a time in a sentence is words of it."""
    for figure in list(tree.iter("figure")):
        holds = any(figure.find(f".//{tag}") is not None for tag in ("pre", "blockquote", "table"))
        captions = list(figure.iter("figcaption"))
        credited = _CREDIT.search("".join(figure.itertext())) is not None
        kept = [one for one in captions if holds or _says_something("".join(one.itertext()), credited)]
        for caption in kept:
            caption.tag = "p"
        if holds:
            figure.tag = "div"
        elif kept:
            figure.tag = "div"
            for other in list(figure):
                if other not in kept and not any(one in kept for one in other.iter("p")):
                    figure.remove(other)
    for time in list(tree.iter("time"))[:_MAX_TIMES]:
        above = time.getparent()
        if above is not None and above.tag in ("p", "li", "td", "th", "dd", "dt", "em"):
            time.tag = "em"


def _says_something(caption: str, credited: bool) -> bool:
    """True for the caption of a figure or chart, and for a sentence with a number in it that credits nobody."""
    caption = " ".join(caption.split())
    if _NUMBERED.match(caption):
        return True
    return len(caption) > 40 and caption[-1] in ".。！？!?" and not credited and _DIGIT.search(caption) is not None


def _is_content(table: Any) -> bool:
    """True when a table has rows of several cells and is no part of the page's furniture."""
    if table.get("role") in ("navigation", "presentation", "none") or _is_furniture(table):
        return False
    rows = [row for row in table.iter("tr") if sum(1 for cell in row if cell.tag in ("td", "th")) > 1]
    return len(rows) >= 3 or (len(rows) >= 2 and table.find(".//th") is not None)


def _is_announced(node: Any) -> bool:
    """True when the text before a list announces it: a sentence that ends in a colon, or a heading of the article."""
    before = node.getprevious()
    parent = node.getparent()
    text = (before.tail or "") if before is not None else ((parent.text or "") if parent is not None else "")
    if (
        not text.strip()
        and before is not None
        and before.tag in ("p", "div", "h2", "h3", "h4", "h5", "h6", "strong", "b")
    ):
        if before.find(".//a") is not None and before.tag != "p":
            return False
        text = "".join(before.itertext())
        if before.tag in ("h2", "h3", "h4", "h5", "h6"):
            inside = _above(node, ("article", "main")) is not None
            return inside and not _LEADS_AWAY.search(text[:300]) and not _is_furniture(node)
    text = text.strip()
    announces = text.endswith(_COLON) and len(text) < 600 and not _LEADS_AWAY.search(text[-200:])
    return announces and not _is_furniture(node)


def _is_further_reading(node: Any) -> bool:
    """True for a list of other stories: whole items are links, none is short, and they stand in or below an article."""
    items = list(node.iterchildren("li"))
    if len(items) < 3 or _above(node, ("article",)) is None:
        return False
    whole = linked = 0
    for item in items:
        whole += len(_squeezed(item))
        linked += sum(len(_squeezed(link)) for link in item.iter("a"))
    return whole >= 40 * len(items) and linked >= 0.95 * whole


def _squeezed(node: Any) -> str:
    return " ".join("".join(node.itertext()).split())


def _is_furniture(node: Any) -> bool:
    for number, above in enumerate((node, *node.iterancestors())):
        if above.tag in ("nav", "aside", "footer", "header", "menu", "form"):
            return True
        named = f"{above.get('class') or ''} {above.get('id') or ''} {above.get('role') or ''}"[:600]
        if number < 4 and above.tag not in ("body", "html", "main", "article") and _BOILERPLATE.search(named):
            return True
    return False
