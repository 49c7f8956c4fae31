"""`-c` and `--resume`: the earlier run that is meant, the settings kept from it, and the start of the new run."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hds_cli import events
from hds_cli.config import SAME_WORLD, SHAPING
from hds_cli.errors import UsageError

_PREFIX = re.compile(r"(?=.*[0-9])(?=.*[a-z])[0-9a-z]{3,}")


@dataclass(frozen=True)
class Start:
    """The start of a run: the words of its question, the settings of the earlier run, and that run itself."""

    words: list[str]
    settings: dict[str, Any] = field(default_factory=dict)
    before: Any = None
    question: str | None = None


def start(words: Sequence[str], go_on: bool, resume: str | None) -> Start:
    """The start of a run under `-c` and `--resume`.

    Args:
        words: the arguments; with `go_on` the first of them may name the run that is meant.

    Raises:
        UsageError: no such run, nothing to go on with, or both were asked for.
    """
    if resume is None and not go_on:
        return Start(list(words))
    if resume is None:
        return _continued(list(words))
    if go_on or words:
        raise UsageError(
            "--resume goes on with the question of its run", hint=f'hds ask -c {resume} "…"   asks a further question'
        )
    return _resumed(resume)


def _continued(words: list[str]) -> Start:
    from hds_cli.agent.earlier import earlier
    from hds_cli.history.store import RunStore

    store = RunStore()
    named = _named(words[0]) if words else None
    run = store.read(named or store.last()).events
    before = earlier(run)
    if not before.run_id:
        raise UsageError("nothing was kept of that run", hint="hds history list")
    return Start(words[1:] if named else words, _settings(run, SAME_WORLD), before)


def _named(word: str) -> str | None:
    """The run that a word names: its id, or a beginning with a digit and a letter, which no word of a question has."""
    from hds_cli.history.store import RunStore

    store = RunStore()
    if store.has(word):
        return word
    if not _PREFIX.fullmatch(word):
        return None
    near = [run_id for run_id in store.ids() if run_id.startswith(word)]
    return near[0] if len(near) == 1 else None


def _resumed(name: str) -> Start:
    from hds_cli.agent.earlier import resumed
    from hds_cli.agent.sections import begun
    from hds_cli.agent.tried import tried_so_far
    from hds_cli.history.store import RunStore

    store = RunStore()
    run_id = store.find(name)
    run = store.read(run_id).events
    whole, plain = begun(run) or tried_so_far(run), resumed(run)
    before = whole or plain
    if store.running(run_id):
        raise UsageError(f"the run {run_id} is still going on", hint=f"hds history show {run_id}")
    if not before.run_id:
        raise UsageError(f"nothing was kept of the run {run_id}", hint="hds history list")
    if whole is None and any(isinstance(event, events.RunStarted) and event.tries for event in run):
        raise UsageError(
            f"the tries of the run {run_id} were stopped before anything was read",
            hint='hds ask -c --rollouts 3 "…"   asks again',
        )
    if whole.whole if whole else plain.answered:
        raise UsageError(f"the run {run_id} came to its end", hint=f'hds ask -c {run_id} "…"   asks a further question')
    return Start([], _settings(run, SHAPING), before, before.question)


def _settings(run: Sequence[events.Event], names: Sequence[str]) -> dict[str, Any]:
    """The settings of an earlier run; `offline` only ever adds, so that the environment's stays in force."""
    kept = next((event.settings for event in run if isinstance(event, events.RunStarted)), {})
    chosen = {name: kept[name] for name in names if kept.get(name)}
    if names is SHAPING:
        chosen |= {name: kept[name] for name in names if kept.get(name) is not None and name != "offline"}
    if os.environ.get("HDS_OPENAI_URL"):
        chosen.pop("openai_url", None)  # where the server is now
    return {name: tuple(value) if isinstance(value, list) else value for name, value in chosen.items()}


def settings_of(run: Sequence[events.Event]) -> dict[str, Any]:
    """All that was kept of the settings with a run."""
    return _settings(run, SHAPING)
