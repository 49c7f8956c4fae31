"""LaTeX in an answer, unwrapped in place: `1{,}541{,}000 \\text{ employees}` -> `1,541,000 employees`.

Models write their answers into `\\boxed{…}` with whatever LaTeX they saw there in training. Only what is known is
unwrapped; anything else (`C:\\Users`, code, prices) stays as it is.
"""

from __future__ import annotations

import json
import re
import unicodedata

from hds_cli import code

_DEPTH = 40  # braces within braces; what is nested deeper stays as it is
_BOX = re.compile(r"\\(?:boxed|fbox|framebox)\s*\{")
_MATH = re.compile(r"\$\$(.{1,2000}?)\$\$|(?<![\\$\w])\$(?=[^\s$])([^$\n]{1,400}?)(?<=[^\s\\])\$(?![\d$])", re.DOTALL)
_FORMULA = re.compile(r"[\\^_{}=<>≤≥×·+]|\A[\d\s.,%-]+\Z|\A[A-Za-z]\Z")
_TEXT = frozenset(
    "text textbf textit textrm textsf texttt textnormal textsc textup textmd mathrm mathbf mathit mathsf mathtt mathbb "
    "mathcal mathfrak mathnormal operatorname emph underline overline mbox hbox boxed fbox framebox bm boldsymbol pmb "
    "ensuremath uline underbrace overbrace hspace vspace phantom color textcolor colorbox bf it rm large small".split()
)
_DROPPED_ARGUMENT = frozenset("hspace vspace phantom color label tag vphantom hphantom".split())
_TWO_ARGUMENTS = frozenset("textcolor colorbox".split())
_FRACTIONS = frozenset("frac dfrac tfrac cfrac nicefrac sfrac".split())
_SYMBOLS = {
    "times": "×", "cdot": "·", "div": "÷", "pm": "±", "mp": "∓", "approx": "≈", "simeq": "≃", "sim": "~", "leq": "≤",
    "le": "≤", "geq": "≥", "ge": "≥", "neq": "≠", "ne": "≠", "ll": "≪", "gg": "≫", "to": "→", "rightarrow": "→",
    "Rightarrow": "⇒", "implies": "⇒", "leftarrow": "←", "leftrightarrow": "↔", "longrightarrow": "→", "infty": "∞",
    "degree": "°", "circ": "°", "textdegree": "°", "prime": "′", "dots": "…", "ldots": "…", "cdots": "…",
    "textellipsis": "…",
    "quad": " ", "qquad": " ", "space": " ", "enspace": " ", "thinspace": " ", "newline": "\n",
    "par": "\n\n", "euro": "€",
    "texteuro": "€", "pounds": "£", "textsterling": "£", "yen": "¥", "textyen": "¥", "dollar": "$", "textdollar": "$",
    "percent": "%", "textbackslash": "\\", "textasciitilde": "~", "copyright": "©", "textregistered": "®", "S": "§",
    "therefore": "∴", "checkmark": "✓", "bullet": "•", "star": "★", "cup": "∪", "cap": "∩", "in": "∈", "notin": "∉",
    "subset": "⊂", "emptyset": "∅", "sum": "∑", "prod": "∏", "int": "∫", "partial": "∂", "nabla": "∇", "angle": "∠",
    "ss": "ß", "o": "ø", "O": "Ø", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "aa": "å", "AA": "Å", "l": "ł", "L": "Ł",
    "i": "ı", "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "varepsilon": "ε", "zeta": "ζ",
    "eta": "η", "theta": "θ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π",
    "rho": "ρ", "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "φ", "varphi": "φ", "chi": "χ",
    "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π",
    "Sigma": "Σ", "Phi": "Φ", "Psi": "Ψ",
    "Omega": "Ω", "land": "∧", "lor": "∨", "neg": "¬", "forall": "∀", "exists": "∃", "mid": "|", "colon": ":",
    "textendash": "–", "textemdash": "—", "textquoteright": "’", "textquoteleft": "‘", "lbrace": "{", "rbrace": "}",
}  # fmt: skip
_LETTERS = frozenset("ss o O ae AE oe OE aa AA l L i".split())
_NOTHING = frozenset(
    "left right big Big bigg Bigg bigl bigr displaystyle textstyle scriptstyle limits nolimits normalsize large Large "
    "small tiny bfseries itshape centering hline noindent mathstrut strut relax nonumber middle "
    "normalfont toprule midrule "
    "bottomrule".split()
)
_FUNCTIONS = frozenset("sin cos tan log ln exp max min lim gcd mod det arg sup inf".split())
_ACCENTS = {"'": "\u0301", "`": "\u0300", '"': "\u0308", "^": "\u0302", "~": "\u0303", "=": "\u0304", ".": "\u0307"}
_LETTER_ACCENTS = {
    "c": "\u0327",
    "v": "\u030c",
    "H": "\u030b",
    "u": "\u0306",
    "k": "\u0328",
    "r": "\u030a",
    "d": "\u0323",
}
_RAISED = str.maketrans("0123456789+-n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ")
_ROWS = frozenset("array tabular tabularx matrix pmatrix bmatrix vmatrix longtable table*".split())
_COMMAND = re.compile(r"[A-Za-z]+\*?")
_ACCENTED = re.compile(r"\s*(?:\{\\?([A-Za-zı])\}|\\?([A-Za-zı])(?![A-Za-z]*\{))")


def unwrapped(text: str) -> str:
    """A message with its boxes and its LaTeX replaced by what they say; code stays as it is."""
    if "\\" not in text and "$" not in text:
        return text
    return code.changed(text, _without_latex)


def headline(text: str) -> str | None:
    """The raw content of a message's last box; one that is not closed runs to the end of its line; None: no box."""
    content: str | None = None
    place = 0
    text = code.changed(text, str, lambda part: " " * len(part))
    closed = pairs(text)
    while match := _BOX.search(text, place):
        end = closed.get(match.end() - 1)
        content = text[match.end() : end] if end is not None else text[match.end() :].split("\n")[0]
        place = end if end is not None else len(text)
    return content


def pairs(text: str) -> dict[int, int]:
    """The place of each brace that is closed, and of the one that closes it; `\\{` is none."""
    ends: dict[int, int] = {}
    opened: list[int] = []
    for match in re.finditer(r"\\.|[{}]", text, re.DOTALL):
        if match[0] == "{":
            opened.append(match.start())
        elif match[0] == "}" and opened:
            ends[opened.pop()] = match.start()
    return ends


def formula(text: str) -> str:
    """The text inside a box or between dollar signs, without its LaTeX."""
    if _is_json(text):
        return text
    rendered = _Reader(_without_dollars(text)).read()
    rendered = re.sub(r"[^\S\n]{2,}", " ", re.sub(r"(?:(?<! ) +)?\n *", "\n", rendered))
    return re.sub(r"(?<! ) +([,;.:](?:\s|$))", r"\1", rendered).strip()


def _is_json(text: str) -> bool:
    inner = text.strip()
    if not inner.startswith("{"):
        return False
    try:
        json.loads(inner)
    except ValueError:
        return False
    return True


def _without_latex(text: str) -> str:
    out: list[str] = []
    place = 0
    closed = pairs(text)
    while match := _BOX.search(text, place):
        end = closed.get(match.end() - 1)
        stop = end if end is not None else match.end() + len(text[match.end() :].split("\n")[0])
        out += [_outside(_undollared(text[place : match.start()], text[stop + 1 :])), formula(text[match.end() : stop])]
        place = stop + 1 if end is not None else stop
    out.append(_outside(text[place:].lstrip("$") if out and text[place : place + 1] == "$" else text[place:]))
    return "".join(out)


def _undollared(before: str, after: str) -> str:
    """The text before a box without the dollar signs that open a formula around it: `$\\boxed{4}$`."""
    return before.rstrip("$") if before.endswith("$") and after.startswith("$") else before


def _outside(text: str) -> str:
    """Text outside of boxes: formulas are unwrapped, known commands too, the rest is not touched."""
    text = (
        re.sub(r"\\\[|\\\]|\\\((?=.{0,400}?\\\))|(?<=\S)\s?\\\)", "", text, flags=re.DOTALL)
        if "\\(" in text or "\\[" in text
        else text
    )
    text = _without_dollars(text)
    return _Reader(text, keep_braces=True).read() if "\\" in text else text


def _without_dollars(text: str) -> str:
    def bare(match: re.Match[str]) -> str:
        inner = match[1] if match[1] is not None else match[2]
        if match[1] is None and not _FORMULA.search(inner):
            return match[0]
        return _Reader(inner).read().strip()

    return _MATH.sub(bare, text) if "$" in text else text


class _Reader:
    """Reads LaTeX from left to right; every method returns plain text."""

    def __init__(self, text: str, *, keep_braces: bool = False, depth: int = 0, cells: str = "") -> None:
        self._text, self._keep, self._depth, self._cells = text, keep_braces, depth, cells
        self._at = 0
        self._pairs = pairs(text)

    def read(self) -> str:
        out: list[str] = []
        text = self._text
        while self._at < len(text):
            char = text[self._at]
            if char == "\\":
                out.append(self._command())
            elif char == "{" and not self._keep:
                out.append(self._group())
            elif char in "^_" and not self._keep:
                out.append(self._script(char))
            elif char == "~" and not self._keep and text[self._at + 1 : self._at + 2].strip():
                self._at += 1
                out.append(" " if out and out[-1][-1:].strip() else "~")
            elif char == "&" and self._cells:
                self._at += 1
                out.append(" | " if self._cells == "rows" else " ")
            elif char == "}" and not self._keep:
                self._at += 1
            else:
                out.append(char)
                self._at += 1
        return "".join(out)

    def _inner(self, text: str) -> str:
        if self._depth >= _DEPTH:
            return text
        return _Reader(text, depth=self._depth + 1, cells=self._cells).read()

    def _group(self) -> str:
        """`{…}` at the place: its content."""
        end = self._pairs.get(self._at) if self._depth < _DEPTH else None
        if end is None:
            self._at += 1
            return ""
        content, self._at = self._text[self._at + 1 : end], end + 1
        return self._inner(content)

    def _argument(self) -> str | None:
        """The next `{…}`, unwrapped; None: there is none."""
        match = re.compile(r"\s*\{").match(self._text, self._at)
        if match is None:
            return None
        end = self._pairs.get(match.end() - 1)
        if end is None:
            return None
        content, self._at = self._text[match.end() : end], end + 1
        return self._inner(content)

    def _script(self, sign: str) -> str:
        self._at += 1
        argument = self._argument()
        if argument is None:
            if self._text[self._at : self._at + 1] == "\\":
                argument = self._command()
            elif sign == "^" and (digits := re.compile(r"\d").match(self._text, self._at)):
                argument, self._at = digits[0], digits.end()
            else:
                return sign
        if argument in ("°", "′"):
            return argument
        if sign == "^":
            raised = argument.translate(_RAISED)
            return raised if argument and set(argument) <= set("0123456789+-n") else f"^{argument}"
        return f"_{argument}"

    def _command(self) -> str:
        self._at += 1
        text = self._text
        match = _COMMAND.match(text, self._at)
        if match is None:
            return self._sign()
        name, start = match[0].rstrip("*"), self._at
        self._at = match.end()
        if name in ("begin", "end"):
            return self._environment(name)
        if name == "item":
            return "\n- "
        if name in _FRACTIONS:
            top, bottom = self._argument(), self._argument()
            return f"{_bracketed(top or '')}/{_bracketed(bottom or '')}"
        if name == "sqrt":
            self._option()
            return f"√{_bracketed(self._argument() or '')}"
        if name in _TWO_ARGUMENTS:
            self._argument()
        if name in _TEXT and (argument := self._argument()) is not None:
            return "" if name in _DROPPED_ARGUMENT else argument
        if name in _TEXT and text[self._at : self._at + 1] == "{":  # never closed
            self._at += 1
            return ""
        if name in _LETTERS and text[self._at : self._at + 1] == " ":
            self._at += 1  # it only ends the command: `Stra\\ss e`
        if name in _SYMBOLS or name in _FUNCTIONS:
            return _SYMBOLS.get(name, name)
        if name in _NOTHING:
            self._at += text[self._at : self._at + 1] == "." and name in ("left", "right")
            return ""
        if name in _LETTER_ACCENTS and (letter := _ACCENTED.match(text, self._at)):
            self._at = letter.end()
            return unicodedata.normalize("NFC", (letter[1] or letter[2]) + _LETTER_ACCENTS[name])
        if not self._keep and (argument := self._argument()) is not None:
            return argument
        return "\\" + text[start : self._at]

    def _option(self) -> None:
        if match := re.compile(r"\s*\[[^\]\n]{0,20}\]").match(self._text, self._at):
            self._at = match.end()

    def _sign(self) -> str:
        """A command of one sign: `\\%`, `\\,`, `\\\\`, `\\'e`."""
        char = self._text[self._at : self._at + 1]
        self._at += 1
        if char == "\\":
            if self._keep and not self._cells:
                return "\\\\"
            self._option()
            return "\n"
        if char in _ACCENTS and (letter := _ACCENTED.match(self._text, self._at)):
            self._at = letter.end()
            return unicodedata.normalize("NFC", (letter[1] or letter[2]) + _ACCENTS[char])
        if char in ",;: ":
            return " "
        if char in "!()[]/":
            return "" if not self._keep or char in "!()" else "\\" + char
        if char in "%$#&_{}":
            return char
        return "\\" + char

    def _environment(self, name: str) -> str:
        kind = (self._argument() or "").strip("*")
        if name == "end":
            return "\n"
        if kind in _ROWS:
            self._argument()
        stop = self._text.find(f"\\end{{{kind}", self._at)
        body = self._text[self._at : stop if stop >= 0 else len(self._text)]
        self._at = stop if stop >= 0 else len(self._text)
        if self._depth >= _DEPTH:
            return body
        cells = "rows" if kind in _ROWS else "aligned"
        rendered = _Reader(body, depth=self._depth + 1, cells=cells).read()
        lines = [" ".join(line.split()) for line in rendered.split("\n") if line.strip()]
        lines = [re.sub(r" ([:=,;])", r"\1" if cells == "aligned" else r" \1", line) for line in lines]
        if kind in _ROWS and any("|" in line for line in lines):
            rows = [f"| {line} |" for line in lines]
            lines = [rows[0], "|" + "---|" * (rows[0].count("|") - 1), *rows[1:]]
        return "\n" + "\n".join(lines)


def _bracketed(part: str) -> str:
    part = part.strip()
    return part if re.fullmatch(r"[\w.,%°€$£ ]*", part) and " " not in part else f"({part})"
