r"""LaTeX in answers is unwrapped in place, and nothing else is touched."""

import time

import pytest

from hds_cli.agent.support.latex import formula, headline, unwrapped

BOXES = [
    ("Paris", "Paris"), (r"\text{Paris}", "Paris"), (r"\text{Paris} \text{ and Rome}", "Paris and Rome"), (r"{X}", "X"),
    (r"{{X}}", "X"), (r"1{,}541{,}000 \text{ employees}", "1,541,000 employees"), (r"1,285,216 \text{ sq km}", "1,285,216 sq km"),
    (r"\textbf{Bern}", "Bern"), (r"\mathbf{42}", "42"), (r"\mathrm{NaCl}", "NaCl"), (r"\textit{Hamlet}", "Hamlet"),
    (r"\emph{Dune}", "Dune"), (r"\underline{12}", "12"), (r"\mbox{no}", "no"), (r"\texttt{pip}", "pip"),
    (r"\operatorname{rank}", "rank"), (r"\textbf{\text{Nested}}", "Nested"), (r"5\,\%", "5 %"), (r"5\%", "5%"),
    (r"\$5.2 \text{ billion}", "$5.2 billion"), (r"\text{AT\&T}", "AT&T"), (r"\#1", "#1"), (r"12\ \text{km}", "12 km"),
    (r"12~\text{km}", "12 km"), (r"20{,}000\text{\,kg}", "20,000 kg"), (r"10^6", "10⁶"), (r"10^{6}", "10⁶"), (r"x^2", "x²"),
    (r"5.97 \times 10^{24} \text{ kg}", "5.97 × 10²⁴ kg"), (r"25^\circ\text{C}", "25°C"), (r"25^{\circ}C", "25°C"),
    (r"\frac{3}{4}", "3/4"), (r"\dfrac{a+b}{2}", "(a+b)/2"), (r"\sqrt{2}", "√2"), (r"\approx 7 \text{ times}", "≈ 7 times"),
    (r"3 \pm 1", "3 ± 1"), (r"a \cdot b", "a · b"), (r"a \leq b", "a ≤ b"), (r"\alpha", "α"), (r"\Omega", "Ω"),
    (r"\infty", "∞"), (r"A \to B", "A → B"), (r"\left( 3 \right)", "( 3 )"), (r"\text{Yes}\text{, both}", "Yes, both"),
    (r"\text{Caf\'e}", "Café"), (r'G\"odel', "Gödel"), (r"S\~ao Paulo", "São Paulo"), (r"Fran\c{c}ois", "François"),
    (r"Stra\ss e", "Straße"), (r"$42$", "42"), (r"$10^{6}$", "10⁶"), (r"\boxed{7}", "7"), (r"\displaystyle 7", "7"),
    (r"\begin{aligned} \text{Peru} &: \text{Lima} \\ \text{Chile} &: \text{Santiago} \end{aligned}", "Peru: Lima\nChile: Santiago"),
    (r"\begin{array}{ll} A & 1 \\ B & 2 \end{array}", "| A | 1 |\n|---|---|\n| B | 2 |"),
    (r"\begin{tabular}{|l|l|} \hline A & 1 \\ \hline B & 2 \end{tabular}", "| A | 1 |\n|---|---|\n| B | 2 |"),
    (r"\begin{itemize}\item Rome\item Bern\end{itemize}", "- Rome\n- Bern"), (r"\begin{cases} 1 \\ 2 \end{cases}", "1\n2"),
    (r"\text{A} \\ \text{B}", "A\nB"), (r"C:\Users\name", r"C:\Users\name"), ('{"a": 1}', '{"a": 1}'),
    ("snake_case_name", "snake_case_name"), ("$5 to $10", "$5 to $10"), (r"\text{東京}", "東京"), (r"\text{Москва}", "Москва"),
    (r"\textcolor{red}{stop}", "stop"), (r"\color{blue} 7", "7"), (r"\ldots", "…"), (r"\text{a}, \text{b}", "a, b"),
    (r"\{1, 2\}", "{1, 2}"), (r"\text{unclosed", "unclosed"), (r"\unknown{kept}", "kept"), ("50% of 3 & 4", "50% of 3 & 4"),
]  # fmt: skip


@pytest.mark.parametrize(("box", "said"), BOXES)
def test_a_box_says_what_its_latex_shows(box: str, said: str) -> None:
    """No form of a box loses, adds or mixes up what it says."""
    assert formula(box) == said


def test_there_are_more_than_sixty_forms() -> None:
    """The forms above are as many as promised."""
    assert len(BOXES) >= 60


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (r"The answer is $\boxed{42}$.", "The answer is 42."),
        (r"So $x = 5$, and it costs $5 to $10.", "So x = 5, and it costs $5 to $10."),
        (r"It is \(3 + 4 = 7\).", "It is 3 + 4 = 7."),
        (r"Write `\boxed{}` around it.", r"Write `\boxed{}` around it."),
        ("```\n\\text{code}\n```", "```\n\\text{code}\n```"),
        (r"\textbf{Bold} in C:\temp", r"Bold in C:\temp"),
        ("Costs {a} and _b_ ^c.", "Costs {a} and _b_ ^c."),
    ],
)
def test_latex_in_a_message_is_unwrapped_in_place(message: str, said: str) -> None:
    """Prose around a box, prices, braces and code stay as they are."""
    assert unwrapped(message) == said


@pytest.mark.parametrize(
    ("message", "raw"),
    [
        (r"\boxed{A} then \boxed{\text{B}}", r"\text{B}"),
        (r"no box", None),
        ("\\boxed{never closed\nmore", "never closed"),
        (r"\boxed{a {b} c}", "a {b} c"),
        (r"`\boxed{code}`", None),
    ],
)
def test_the_headline_is_the_last_box(message: str, raw: str | None) -> None:
    """The last box that is no code gives the headline; one that is not closed ends with its line."""
    assert headline(message) == raw


def test_hostile_latex_takes_no_long_time() -> None:
    """Braces, boxes and dollars without an end are read in time that grows with their number."""
    for piece in ("{", "}", "\\text{", "\\boxed{", "$", "$x", "^{", "\\frac{", "\\begin{array}", "\\(", "\\\\", "`"):
        started = time.process_time()
        unwrapped((piece * 20_000)[:40_000])
        assert time.process_time() - started < 5, piece
