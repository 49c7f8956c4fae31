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
from collections.abc import Sequence
from typing import Any

from hds_cli.engine.base import ChatTemplate, Segment
from hds_cli.engine.files.known import TEMPLATES
from hds_cli.errors import ModelUnusable
from hds_cli.keys import without_secrets

MAX_RENDERED = 1 << 20  # characters
_CPU_SECONDS = 1.0
_WALL_SECONDS = 10.0  # a loaded machine is slow to start a process
_MEMORY = 160 << 20
_REPEATS = 8  # a template may write each message so many times
_HINT = "--dialect hds, or another GGUF file"
_SLOT = re.compile("\ue000([0-9]{1,4})\ue001")  # stands for a message while the template is rendered


def render(template: ChatTemplate, messages: Sequence[dict[str, str]]) -> str:
    """The conversation as the model was trained to read it.

    Args:
        messages: `{"role", "content"}`, a system turn first or none; templates that refuse one are given the rest.

    Raises:
        ModelUnusable: the template does not render, or takes more than its share of time, memory or text.
    """
    return _rendered(template, json.dumps(list(messages)))


def needed(template: ChatTemplate | None) -> ChatTemplate:
    """The template of a model that is spoken to through one.

    Raises:
        ModelUnusable: its file has none.
    """
    if template is None:
        raise ModelUnusable("the model's file has no chat template", hint=_HINT)
    return template


def conversation(template: ChatTemplate, system: str, turns: Sequence[tuple[str, str]]) -> list[Segment]:
    """A conversation as segments: the template's own text is trusted, no word of a message is.

    Args:
        system: instructions; where the template has no system turn, they stand before the first of `turns`.
        turns: (role, text) of each message, `user` first.

    Raises:
        ModelUnusable: the template does not render, makes messages up or repeats them.
    """
    texts = [system, *(text for _, text in turns)]
    roles = ["system", *(role for role, _ in turns)]
    messages = [{"role": role, "content": f"\ue000{n}\ue001"} for n, role in enumerate(roles)]
    rendered = render(template, messages)
    if "\ue0000\ue001" not in rendered:
        texts[1] = f"{system}\n\n{texts[1]}"
        rendered = render(template, messages[1:])
    pieces = _SLOT.split(rendered)  # text, number, text, number, …, text
    if len(pieces) > 2 * _REPEATS * len(texts) or any(int(number) >= len(texts) for number in pieces[1::2]):
        raise ModelUnusable("the model's chat template makes messages up, or repeats them", hint=_HINT)
    segments = [Segment(texts[int(piece)]) if at % 2 else Segment(piece, True) for at, piece in enumerate(pieces)]
    return [segment for segment in segments if segment.text]


@functools.lru_cache(maxsize=32)
def _rendered(template: ChatTemplate, messages: str) -> str:
    known = hashlib.sha256(template.source.encode()).hexdigest() in TEMPLATES
    answer = _here(template, json.loads(messages)) if known else _in_child(template, messages)
    if "text" not in answer:
        raise ModelUnusable(f"the model's chat template {answer['error']}", hint=_HINT)
    return str(answer["text"])


def _here(template: ChatTemplate, messages: list[dict[str, str]]) -> dict[str, str]:
    """`{"text"}` or `{"error"}`."""
    import datetime

    from jinja2 import TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def refuse(message: str) -> None:
        raise TemplateError(message)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.globals["raise_exception"] = refuse
    environment.globals["strftime_now"] = lambda form: datetime.datetime.now().strftime(form)
    try:
        compiled = environment.from_string(template.source)
        for tried in (messages, messages[1:]) if messages[0]["role"] == "system" else (messages,):
            with contextlib.suppress(TemplateError):  # some templates refuse a system turn
                text = compiled.render(
                    messages=tried, add_generation_prompt=True, bos_token=template.bos, eos_token=template.eos,
                    enable_thinking=False,
                )  # fmt: skip
                return {"text": text} if len(text) <= MAX_RENDERED else {"error": "makes an endless prompt"}
    except Exception as exc:  # whatever a stranger's template does to Jinja or Python: TypeError, RecursionError, ...
        return {"error": f"does not render ({type(exc).__name__})"}
    return {"error": "does not render"}


def _in_child(template: ChatTemplate, messages: str) -> dict[str, str]:
    command = [sys.executable, "-P", "-S", "-c", _BOOT, json.dumps(sys.path)]
    work = json.dumps({"template": list(template), "messages": json.loads(messages)}).encode()
    try:
        done = subprocess.run(
            command, input=work, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=_WALL_SECONDS, check=False,
            env=without_secrets(os.environ),
        )  # fmt: skip
        answer: dict[str, str] = json.loads(done.stdout) if done.returncode == 0 else {}
    except subprocess.TimeoutExpired:
        answer = {}
    except (OSError, ValueError) as exc:
        raise ModelUnusable(f"the model's chat template could not be tried: {exc}", hint=_HINT) from exc
    return answer or {"error": "takes too long or too much memory"}


# Without `site`: no start-up file of the environment runs in the child, and it begins twice as fast.
_BOOT = "import sys, json; sys.path[:] = json.loads(sys.argv[1]); from hds_cli.agent.templates import main; main()"


def main() -> None:
    """The child: read the work from standard input, write the answer to standard output."""
    work = json.load(sys.stdin)
    template, messages = ChatTemplate(*work["template"]), work["messages"]
    _here(ChatTemplate("{{ messages }}"), messages)  # what Jinja imports and compiles for itself is not counted
    _confine()
    answer: dict[str, Any]
    try:
        answer = _here(template, messages)
    except MemoryError:
        answer = {"error": "takes too much memory"}
    sys.stdout.write(json.dumps(answer))
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
