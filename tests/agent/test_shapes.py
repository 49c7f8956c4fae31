"""Templates with the shapes of public models' ones: none is refused, no answer begins in a wrong place (issue 20)."""

from __future__ import annotations

import hashlib

import pytest

from hds_cli.agent import templates
from hds_cli.engine.base import ChatTemplate, Segment
from hds_cli.engine.files import known
from tests.agent.shapes import SHAPES, Shape

TURNS = [("user", "First question?"), ("assistant", "An answer."), ("user", "Second question?")]
DAY = "2026-11-25"


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Render them in this process, as those that hds knows: a child for each takes long."""
    for shape in SHAPES.values():
        monkeypatch.setitem(known.TEMPLATES, hashlib.sha256(shape.source.encode()).hexdigest(), "shape")


def template(shape: Shape) -> ChatTemplate:
    return ChatTemplate(shape.source, shape.bos or "<s>", "</s>")


def turns(name: str) -> list[tuple[str, str]]:
    return TURNS[2:] if name == "MiroThinker" else TURNS  # that one fails at a second answer


def test_there_are_as_many_as_the_figure_asks_for() -> None:
    """Issue 20: 63."""
    assert len(SHAPES) >= 63


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("name", SHAPES)
def test_an_answer_held_by_a_grammar_begins_where_answers_do(name: str) -> None:
    """With no thought open, in the channel of answers; every message is there once, and none of it is trusted."""
    shape = SHAPES[name]
    prompt = templates.prompt(template(shape), "Be exact.", turns(name), today=DAY, held=True)
    assert prompt.segments[-1] == Segment(shape.place, True)
    assert prompt.thought is None
    said = "".join(text for text, trusted in prompt.segments if not trusted)
    assert sorted(map(said.count, ["Be exact.", *(text for _, text in turns(name))])) == [1] * (1 + len(turns(name)))
    assert not any("question" in text for text, trusted in prompt.segments if trusted)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("name", SHAPES)
def test_a_thought_begins_and_ends_as_the_template_has_it(name: str) -> None:
    """Where a model thinks, the prompt ends within a thought, and the way from there to an answer is known."""
    shape = SHAPES[name]
    prompt = templates.prompt(template(shape), "Be exact.", turns(name), today=DAY, thinking="brief")
    if shape.thinks is None:
        assert prompt.thought is None
        assert prompt.segments[-1].text in (shape.place, shape.place.rstrip(" "))
        return
    assert prompt.thought is not None
    assert (prompt.segments[-1].text, prompt.thought.bridge) == (shape.thinks, shape.bridge)
    assert prompt.thought.closing == prompt.thought.closing.strip() in shape.bridge


@pytest.mark.parametrize("name", SHAPES)
def test_what_transformers_renders_is_rendered_alike(name: str) -> None:
    """The text of the library by which these templates are made, character for character; runs where it is there."""
    utilities = pytest.importorskip("transformers.utils.chat_template_utils")
    differences = compare(utilities.render_jinja_template, name)
    assert differences == []


def compare(render: object, name: str) -> list[str]:
    """What differs between transformers' text and ours, of a conversation with and without a system turn."""
    shape, wrong = SHAPES[name], []
    switches = templates._SWITCHES["off"] | {"reasoning_effort": "low"}
    messages = [{"role": "system", "content": "S"}] + [{"role": role, "content": text} for role, text in turns(name)]
    for tried in (messages, messages[1:]):
        options = {"bos_token": shape.bos or "<s>", "eos_token": "</s>", "add_generation_prompt": True} | switches
        try:
            (theirs,), _ = render([tried], chat_template=shape.source, **options)  # type: ignore[operator]
        except Exception:  # what it does not render, nobody asks of us
            continue
        ours = templates._here(template(shape), tried)
        if ours.get("text") != theirs and "strftime_now" not in shape.source and "Second question?" in theirs:
            wrong.append(f"{theirs!r} != {ours}")
    return wrong


@pytest.mark.usefixtures("here")
def test_places_are_found_in_time_that_grows_with_the_text() -> None:
    """A hostile template may write a million characters of tags behind a turn: they stay as they are."""
    source = "{% for m in messages %}{{ m.content }}{{ '<think><|x_start|>' * 8000 }}{% endfor %}"
    for thinking in ("off", "brief"):
        prompt = templates.prompt(ChatTemplate(source), "S", [("user", "Q")], thinking=thinking)
        assert (prompt.thought, len(prompt.segments[-1].text)) == (None, 8000 * 18)


def test_marks_of_training_are_inert() -> None:
    """`{% generation %}` is its body, and what is set in it stays in it."""
    source = "{% set a = 1 %}{% generation %}{% set a = 2 %}x{%- endgeneration %}{{ a }}"
    assert templates.render(ChatTemplate(source), [{"role": "user", "content": ""}]) == "x1"


def test_the_clock_of_a_template_is_the_runs() -> None:
    """A run that is asked again reads the same day; without one the machine's clock is shown."""
    source = "{{ strftime_now('%d %b %Y') }}"
    message = [{"role": "user", "content": ""}]
    assert templates.render(ChatTemplate(source), message, templates.Asked("2024-02-29")) == "29 Feb 2024"
    assert len(templates.render(ChatTemplate(source), message)) == 11


def test_the_switches_of_thinking_are_passed() -> None:
    """By each name that templates have; an effort that a template refuses is left out, others are tried."""
    names = "enable_thinking", "thinking", "reasoning_effort", "thinking_budget"
    source = "{{ [" + ", ".join(f"{name} | default('-')" for name in names) + "] | join(' ') }}"
    message = [{"role": "user", "content": ""}]
    said = [
        templates.render(ChatTemplate(source), message, templates.Asked(None, level))
        for level in ("off", "brief", "full")
    ]
    assert said == ["False False low 0", "True True low 512", "True True high -"]
    strict = "{% if reasoning_effort != 'none' %}{{ raise_exception('no') }}{% endif %}" + source
    assert templates.render(ChatTemplate(strict), message) == "False False none 0"


def test_a_first_token_that_a_vocabulary_wants_is_added_once() -> None:
    """Where the template writes none; a template that writes it keeps its own."""
    bare, own = "{{ messages[0].content }}", "{{ bos_token }}{{ messages[0].content }}"
    for source, wants, first in ((bare, True, "<s>"), (bare, False, "S\n\nQ"), (own, True, "<s>"), (own, False, "<s>")):
        segments = templates.conversation(ChatTemplate(source, "<s>", "</s>", wants), "S", [("user", "Q")])
        assert segments[0] == Segment(first, first == "<s>")
        assert [text for text, _ in segments].count("<s>") == (first == "<s>")


def test_a_blank_before_a_message_goes_to_its_first_word() -> None:
    """`[INST] ` and `Who` are other tokens than `[INST] Who`."""
    source = "[INST] {{ messages[-1].content }} [/INST]"
    segments = templates.conversation(ChatTemplate(source), "S", [("user", "Who?")])
    assert segments == [Segment("[INST]", True), Segment(" S\n\nWho?"), Segment(" [/INST]", True)]
