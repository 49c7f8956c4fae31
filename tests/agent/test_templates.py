"""A chat template is a program from strangers: it gets its text, and neither the time nor the memory (figure F20)."""

from __future__ import annotations

import os
import resource
import subprocess
import sys

import pytest

from hds_cli.agent import templates
from hds_cli.engine.base import ChatTemplate

MESSAGES = [{"role": "system", "content": "S"}, {"role": "user", "content": "U"}]
CHATML = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}{% if add_generation_prompt %}<a>{% endif %}"
LOOPS = "".join(f"{{% for {c} in range(99999) %}}" for c in "abcd") + "x" + "{% endfor %}" * 4
HOSTILE = {
    "nested loops": LOOPS,
    "loops without output": LOOPS.replace("x", ""),
    "a long repetition": "{{ 'a' * 2000000000 }}",
    "a long list": "{{ [0] * 1000000000 }}",
    "lists of lists": "{% set a = [[0] * 99999] * 99999 %}{{ a | string | length }}",
    "doubling": "{% set ns = namespace(x='a' * 64) %}{% for i in range(64) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
    "a power": "{{ 9 ** 9 ** 9 }}",
    "a long number as text": "{{ (10 ** 300000) | string | length * 99999 }}",
    "a wide format": "{{ '%999999999d' % 1 }}",
    "a wide format method": "{{ '{:>2000000000}'.format('x') }}",
    "centring": "{{ 'x' | center(2000000000) }}",
    "indenting": "{{ ('x\n' * 99999) | indent(99999) }}",
    "replacing": "{{ ('a' * 99999) | replace('a', 'b' * 99999) }}",
    "joining": "{{ range(99999) | map('string') | join('x' * 99999) }}",
    "recursion": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "two macros": "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(64) }}",
    "deep nesting": "{% if true %}" * 3000 + "{% endif %}" * 3000,
    "deep brackets": "{{ " + "(" * 20000 + "1" + ")" * 20000 + " }}",
    "a long list of blocks": "{% for i in range(99999) %}{% set x = range(99999) | list %}{% endfor %}",
    "sorting": "{% for i in range(99999) %}{{ range(99999) | sort(reverse=true) | first }}{% endfor %}",
    "an escape to Python": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "an escape by attr": "{{ cycler.__init__.__globals__.os.popen('touch hds-pwned').read() }}",
    "a wrong template": "{% for %}",
    "an endless prompt": "{{ 'ab' * 1000000 }}",
}


# In a process of its own: the largest child of this one may be any earlier test's.
MEASURED = """
import resource, sys, time
from hds_cli.agent import templates
from hds_cli.engine.base import ChatTemplate
from hds_cli.errors import ModelUnusable
source, began = sys.stdin.read(), time.process_time()
try:
    length = len(templates.render(ChatTemplate(source), [{"role": "user", "content": "U"}]))
except ModelUnusable:
    length = 0
mine, child = time.process_time() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
print(length, mine, child.ru_utime + child.ru_stime, child.ru_maxrss)
"""


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_template_ends_in_an_error_or_in_a_short_text(source: str) -> None:
    """F20: at most two seconds of processor time and 200 MB in the child; nothing of either here."""
    said = subprocess.run([sys.executable, "-c", MEASURED], input=source.encode(), stdout=subprocess.PIPE, check=True)
    length, mine, seconds, kilobytes = map(float, said.stdout.split())
    assert length <= templates.MAX_RENDERED
    assert seconds < 2
    assert kilobytes < 200_000
    assert mine < 0.5
    assert not os.path.exists("hds-pwned")


def test_there_are_as_many_as_the_figure_asks_for() -> None:
    """F20: twenty."""
    assert len(HOSTILE) >= 20


def test_without_the_child_one_of_them_takes_the_time() -> None:
    """So the test above sees the hazard: the sandbox alone does not end nested loops."""
    code = (
        "from hds_cli.agent import templates; from hds_cli.engine.base import ChatTemplate;"
        f"templates._here(ChatTemplate({LOOPS!r}), {MESSAGES!r})"
    )
    with pytest.raises(subprocess.TimeoutExpired):
        subprocess.run([sys.executable, "-c", code], timeout=4, check=False)


def test_a_child_renders_what_this_process_would() -> None:
    """The same text on both ways; a template that refuses a system turn is given the rest."""
    assert templates.render(ChatTemplate(CHATML), MESSAGES) == "<system>S<user>U<a>"
    assert templates._here(ChatTemplate(CHATML), MESSAGES) == {"text": "<system>S<user>U<a>"}
    refusing = "{% if messages[0].role == 'system' %}{{ raise_exception('no') }}{% endif %}" + CHATML
    assert templates.render(ChatTemplate(refusing), MESSAGES) == "<user>U<a>"


def test_what_templates_of_the_hub_use_is_there() -> None:
    """`strftime_now`, `break`, `tojson`, the first and last token."""
    source = "{{ bos_token }}{{ strftime_now('%Y') | int > 2000 }}{% for i in range(9) %}{% break %}{% endfor %}{{ [1] | tojson }}"
    assert templates.render(ChatTemplate(source, "<s>"), MESSAGES) == "<s>True[1]"


def test_a_known_template_needs_no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """The starter's: no process is started."""
    import hashlib

    from hds_cli.engine.files import known

    monkeypatch.setitem(known.TEMPLATES, hashlib.sha256((CHATML + " ").encode()).hexdigest(), "test")
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    assert templates.render(ChatTemplate(CHATML + " "), MESSAGES) == "<system>S<user>U<a> "
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime == before
