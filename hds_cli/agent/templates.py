"""A model's chat template, rendered: in this process when its checksum is known, else in a child with narrow limits.

A template is a program from strangers. Jinja's sandbox keeps it away from files and processes, not from time and
memory (nested loops, `'a' * 2_000_000_000`); the child's limits do.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from hds_cli.agent.places import Sample, Thought, answer_place, thought_place
from hds_cli.engine.base import ChatTemplate, Segment
from hds_cli.engine.files.known import TEMPLATES
from hds_cli.errors import ModelUnusable
from hds_cli.keys import without_secrets

if TYPE_CHECKING:
    from jinja2.parser import Parser
    from jinja2.sandbox import SandboxedEnvironment

MAX_RENDERED = 1 << 20  # characters
_CPU_SECONDS = 1.0
_WALL_SECONDS = 10.0  # a loaded machine is slow to start a process
_MEMORY = 160 << 20
_MAX_PLACE = 4096  # characters between two turns in which places are looked for
_REPEATS = 8  # a template may write each message so many times
_HINT = "--dialect hds, or another GGUF file"
_SLOT = re.compile("\ue000([0-9]{1,4})\ue001")  # stands for a message while the template is rendered


class Asked(NamedTuple):
    """How a template is asked for its text.

    `today` is the day, YYYY-MM-DD, that its clock shows; None: the machine's clock. `thinking` is what the model is
    told of thinking beforehand.
    """

    today: str | None = None
    thinking: str = "off"


_SWITCHES: dict[str, dict[str, Any]] = {  # the names that templates of the hub have for it
    "off": {"enable_thinking": False, "thinking": False, "thinking_budget": 0},
    "brief": {"enable_thinking": True, "thinking": True, "thinking_budget": 512, "thinking_effort": "low"},
    "full": {"enable_thinking": True, "thinking": True, "thinking_effort": "high"},
}
_EFFORTS = {"off": ("low", "none"), "brief": ("low",), "full": ("high",)}  # one that a template refuses is left out


def render(template: ChatTemplate, messages: Sequence[dict[str, str]], asked: Asked = Asked()) -> str:
    """The conversation as the model was trained to read it.

    Args:
        messages: `{"role", "content"}`, a system turn first or none; templates that refuse one are given the rest.

    Raises:
        ModelUnusable: the template does not render, or takes more than its share of time, memory or text.
    """
    (answer,) = _rendered(template, json.dumps([{"messages": list(messages), **asked._asdict()}]))
    if "text" not in answer:
        raise ModelUnusable(f"the model's chat template {answer['error']}", hint=_HINT)
    return answer["text"]


def needed(template: ChatTemplate | None) -> ChatTemplate:
    """The template of a model that is spoken to through one.

    Raises:
        ModelUnusable: its file has none.
    """
    if template is None:
        raise ModelUnusable("the model's file has no chat template", hint=_HINT)
    return template


class Prompt(NamedTuple):
    """A conversation up to where the model goes on; `thought`: it ends within a thought, which ends like this."""

    segments: list[Segment]
    thought: Thought | None = None


def prompt(
    template: ChatTemplate,
    system: str,
    turns: Sequence[tuple[str, str]],
    *,
    today: str | None = None,
    thinking: str = "off",
    held: bool = False,
) -> Prompt:
    """A conversation as segments: the template's own text is trusted, no word of a message is.

    It ends where the next answer begins, or within a thought, where the model has any and may think.

    Args:
        system: instructions; where the template has no system turn, they stand before the first of `turns`.
        turns: (role, text) of each message, `user` first and last.
        today: the day that the template's clock shows, YYYY-MM-DD.
        thinking: off, brief or full. Off: a thought that the template opens is closed.
        held: the answer is held by a grammar, and begins with no blank of its own.

    Raises:
        ModelUnusable: the template does not render, makes messages up or repeats them.
    """
    asked = Asked(today, thinking)
    texts = [system, *(text for _, text in turns)]
    roles = ["system", *(role for role, _ in turns)]
    messages = [{"role": role, "content": _slot(n)} for n, role in enumerate(roles)]
    rendered = render(template, messages, asked)
    if _slot(0) not in rendered:
        texts[1] = f"{system}\n\n{texts[1]}"
        rendered = render(template, messages[1:], asked)
    pieces = _SLOT.split(rendered)  # text, number, text, number, …, text
    if len(pieces) > 2 * _REPEATS * len(texts) or any(int(number) >= len(texts) for number in pieces[1::2]):
        raise ModelUnusable("the model's chat template makes messages up, or repeats them", hint=_HINT)
    thought = None
    if len(pieces) > 1:
        pieces[-1], thought = _ending(template, pieces[-1], asked, held)
    if template.adds_bos and template.bos and not pieces[0].lstrip().startswith(template.bos):
        pieces[0] = template.bos + pieces[0]
    segments = [Segment(texts[int(piece)]) if at % 2 else Segment(piece, True) for at, piece in enumerate(pieces)]
    return Prompt(_with_blanks_at_words([segment for segment in segments if segment.text]), thought)


def conversation(template: ChatTemplate, system: str, turns: Sequence[tuple[str, str]], **asked: Any) -> list[Segment]:
    """The segments of a `prompt`."""
    return prompt(template, system, turns, **asked).segments


def _ending(template: ChatTemplate, tail: str, asked: Asked, held: bool) -> tuple[str, Thought | None]:
    sample = _sample(template, asked)
    if len(tail) > _MAX_PLACE:
        return tail, None
    if asked.thinking != "off" and (place := thought_place(tail, sample, _sample(template, Asked(asked.today)))):
        return place
    return answer_place(tail, sample, held=held), None


def _sample(template: ChatTemplate, asked: Asked) -> Sample:
    """What the template writes around answers and thoughts, seen in conversations of its own."""
    exchange = [{"role": "user", "content": _slot(0)}, {"role": "assistant", "content": _slot(1)}]
    thoughtful = {"role": "assistant", "content": _slot(1), "reasoning_content": _slot(2), "thinking": _slot(2)}
    jobs = [
        {"messages": [*exchange, {"role": "user", "content": _slot(3)}], **asked._asdict()},
        {"messages": [exchange[0], thoughtful], "going_on": False, **asked._asdict()},
        {"messages": exchange[:1], **asked._asdict()},
    ]
    whole, shown, single = (answer.get("text", "") for answer in _rendered(template, json.dumps(jobs)))
    before, answers = _between(whole, 0, 1)
    opening, shows = _between(shown, 0, 2)
    bridge, ends = _between(shown, 2, 1)
    tail = (whole if _slot(3) in whole else single).rpartition("\ue001")[2]
    if not (shows and ends):
        opening = bridge = ""
    return Sample(before if answers else None, tail[:_MAX_PLACE], opening, bridge, template.source)


def _between(text: str, first: int, second: int) -> tuple[str, bool]:
    """The text between two slots, and whether they follow on each other with no other between."""
    between, found, _ = text.partition(_slot(first))[2].partition(_slot(second))
    follows = bool(found) and "\ue000" not in between and len(between) <= _MAX_PLACE
    return (between if follows else ""), follows


def _slot(number: int) -> str:
    return f"\ue000{number}\ue001"


def _with_blanks_at_words(segments: list[Segment]) -> list[Segment]:
    """Blanks between the template's text and a message go to the message: vocabularies join them with its first word.

    Each segment is tokenized by itself, and `[INST] ` and `Who` would be other tokens than `[INST] Who`.
    """
    moved = list(segments)
    for at in range(1, len(moved)):
        text, trusted = moved[at - 1]
        if trusted and not moved[at].trusted and (bare := text.rstrip(" ")) and bare != text:
            moved[at - 1] = Segment(bare, True)
            moved[at] = Segment(text[len(bare) :] + moved[at].text)
    return moved


@functools.lru_cache(maxsize=64)
def _rendered(template: ChatTemplate, jobs: str) -> list[dict[str, str]]:
    """For each job `{"text"}` or `{"error"}`."""
    known = hashlib.sha256(template.source.encode()).hexdigest() in TEMPLATES
    return [_here(template, **job) for job in json.loads(jobs)] if known else _in_child(template, jobs)


def _here(
    template: ChatTemplate,
    messages: list[dict[str, Any]],
    today: str | None = None,
    thinking: str = "off",
    going_on: bool = True,
) -> dict[str, str]:
    """`{"text"}` or `{"error"}`.

    Args:
        going_on: the text ends with the generation prompt.
    """
    found: dict[str, str] = {}
    error = "does not render"
    try:
        compiled = _environment(today).from_string(template.source)
    except Exception as exc:  # whatever a stranger's template does to Jinja or Python: TypeError, RecursionError, ...
        return {"error": f"does not render ({type(exc).__name__})"}
    for tried, switches in _ways(messages, thinking):
        try:
            text = compiled.render(
                messages=tried, add_generation_prompt=going_on, bos_token=template.bos, eos_token=template.eos,
                **switches,
            )  # fmt: skip
        except Exception as exc:
            error = f"does not render ({type(exc).__name__})"
            continue
        if len(text) > MAX_RENDERED:
            return {"error": "makes an endless prompt"}
        found = found or {"text": text}
        if all(message["content"] in text for message in messages if message["role"] == "user"):
            return {"text": text}
    return found or {"error": error}


def _ways(messages: list[dict[str, Any]], thinking: str) -> Iterator[tuple[list[dict[str, Any]], dict[str, Any]]]:
    """Messages and switches to try in turn: some templates refuse a system turn or a value of a switch, or want the
    text of a message in a list of parts; some want tools, of which there are none.
    """
    switches = {"tools": None, "documents": None} | _SWITCHES[thinking]
    efforts = [switches | {"reasoning_effort": effort} for effort in _EFFORTS[thinking]]
    unnamed = {name: value for name, value in switches.items() if value is not None}
    without = (messages, messages[1:]) if messages[0]["role"] == "system" else (messages,)
    for in_parts in (False, True):
        for some in without:
            tried = [_in_parts(message) for message in some] if in_parts else some
            for way in (*efforts, switches, unnamed):
                yield tried, way


def _in_parts(message: dict[str, Any]) -> dict[str, Any]:
    return message | {"content": [{"type": "text", "text": message["content"]}]}


def _environment(today: str | None) -> SandboxedEnvironment:
    """Jinja's sandbox with what `transformers` gives to chat templates."""
    import datetime

    from jinja2 import TemplateError, nodes
    from jinja2.ext import Extension
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Generation(Extension):
        """`{% generation %}` marks what a training learns; here it is its body."""

        tags = {"generation"}  # noqa: RUF012

        def parse(self, parser: Parser) -> nodes.Node:
            line = next(parser.stream).lineno
            return nodes.Scope(parser.parse_statements(("name:endgeneration",), drop_needle=True), lineno=line)

    def refuse(message: str) -> None:
        raise TemplateError(message)

    def as_json(value: Any, indent: int | None = None, ensure_ascii: bool = False, **more: Any) -> str:
        return json.dumps(value, indent=indent, ensure_ascii=ensure_ascii, **more)

    def now(form: str) -> str:
        with contextlib.suppress(TypeError, ValueError):
            return datetime.datetime.fromisoformat(today or "").strftime(form)
        return datetime.datetime.now().strftime(form)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols", Generation]
    )
    environment.globals |= {"raise_exception": refuse, "strftime_now": now}
    environment.filters["tojson"] = as_json
    return environment


def _in_child(template: ChatTemplate, jobs: str) -> list[dict[str, str]]:
    command = [sys.executable, "-P", "-S", "-c", _BOOT, json.dumps(sys.path)]
    work = json.dumps({"template": list(template), "jobs": json.loads(jobs)}).encode()
    try:
        done = subprocess.run(
            command, input=work, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=_WALL_SECONDS, check=False,
            env=without_secrets(os.environ),
        )  # fmt: skip
        answers: list[dict[str, str]] = json.loads(done.stdout) if done.returncode == 0 else []
    except subprocess.TimeoutExpired:
        answers = []
    except (OSError, ValueError) as exc:
        raise ModelUnusable(f"the model's chat template could not be tried: {exc}", hint=_HINT) from exc
    return answers or [{"error": "takes too long or too much memory"}] * len(json.loads(jobs))


# Without `site`: no start-up file of the environment runs in the child, and it begins twice as fast.
_BOOT = "import sys, json; sys.path[:] = json.loads(sys.argv[1]); from hds_cli.agent.templates import main; main()"


def main() -> None:
    """The child: read the work from standard input, write the answer to standard output."""
    work = json.load(sys.stdin)
    template, jobs = ChatTemplate(*work["template"]), work["jobs"]
    _here(ChatTemplate("{{ messages }}"), jobs[0]["messages"])  # what Jinja itself imports and compiles is not counted
    _confine()
    answers: list[dict[str, str]] = []
    for job in jobs:
        try:
            answers.append(_here(template, **job))
        except MemoryError:
            answers.append({"error": "takes too much memory"})
    sys.stdout.write(json.dumps(answers))
    sys.stdout.flush()
    os._exit(0)


def _confine() -> None:
    """Processor time, memory and files; a system without one of these limits still has the parent's clock."""
    with contextlib.suppress(ImportError, AttributeError, ValueError, OSError):
        import resource
        import signal

        for limit, value in ((resource.RLIMIT_AS, _MEMORY), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0)):
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(limit, (value, value))
        signal.setitimer(signal.ITIMER_PROF, _CPU_SECONDS)  # SIGPROF ends the process: nothing handles it
