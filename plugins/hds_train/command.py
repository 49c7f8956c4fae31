"""The command `hds train`."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from hds_cli.errors import HdsError, ModelMissing, UsageError


class TrainingMissing(HdsError):
    """The packages of the extra `train` are not installed."""

    code = "train_missing"
    exit_code = 2


def train(
    data: Annotated[Path, typer.Argument(metavar="DATA.jsonl", help="Trajectories (hds synth makes some).")],
    base: Annotated[Path, typer.Option("--base", metavar="BASE.gguf", help="The model that is taught.")],
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Checkpoints, log and adapter.gguf.")],
    valid: Annotated[Path | None, typer.Option("--valid", metavar="FILE", help="Trajectories to measure on.")] = None,
    adapter: Annotated[
        Path | None, typer.Option("--adapter", metavar="ADAPTER.gguf", help="An adapter to begin with.")
    ] = None,
    epochs: Annotated[float, typer.Option("--epochs", metavar="F", help="Times over the data [1].")] = 1.0,
    minutes: Annotated[float | None, typer.Option("--minutes", metavar="F", help="At most so long.")] = None,
    rank: Annotated[int, typer.Option("--rank", metavar="N", help="Of the adapter [16].")] = 16,
    lr: Annotated[float, typer.Option("--lr", metavar="F", help="Highest learning rate [0.001].")] = 1e-3,
    batch_tokens: Annotated[int, typer.Option("--batch-tokens", metavar="N", help="Tokens of a step [2200].")] = 2200,
    max_tokens: Annotated[int, typer.Option("--max-tokens", metavar="N", help="Longer ones are left out.")] = 2048,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Order of the data and first weights [1].")] = 1,
    device: Annotated[str, typer.Option("--device", metavar="NAME", help="cpu, cuda or auto [auto].")] = "auto",
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint in --out.")] = False,
) -> None:
    """Teach a model the searcher's format (extra [train]).

    Makes of a GGUF model and trajectories a LoRA adapter that llama.cpp loads.

    hds train train.jsonl --base model.gguf --out lora

    hds train train.jsonl --base model.gguf --out lora --resume
    """
    for path in (data, base, *(p for p in (valid, adapter) if p)):
        if not path.exists():
            raise UsageError(f"there is no {path}")
    _check_packages()
    from hds_train import adapter as adapters
    from hds_train.lora import Plan

    plan = Plan(epochs, minutes, rank, lr, batch_tokens, seed)
    if adapter and not resume:
        adapters.restore(adapter, base, out)
        resume = True
    out.mkdir(parents=True, exist_ok=True)
    _run(plan, data, valid, base, out, max_tokens, device, resume)
    target = out / "adapter.gguf"
    adapters.export(out / "checkpoint", base, target)
    sys.stdout.write(f"{target}\n")


def _check_packages() -> None:
    from importlib.util import find_spec

    missing = [name for name in ("torch", "transformers", "peft", "gguf") if find_spec(name) is None]
    if missing:
        raise TrainingMissing(f"training needs {', '.join(missing)}", hint='pip install "hds-cli[train]"')


def _run(
    plan: Any, data: Path, valid: Path | None, base: Path, out: Path, most: int, device: str, resume: bool
) -> None:
    import torch

    from hds_cli.engine.base import ModelSpec
    from hds_cli.engine.llama.model import LlamaEngine
    from hds_train import base as bases
    from hds_train.data import rows
    from hds_train.lora import prepare, train

    engine = LlamaEngine(ModelSpec(base.stem, base), n_ctx=512)
    training = list(rows(data, engine, most))
    held = list(rows(valid, engine, most)) if valid else []
    engine.close()
    if not training:
        raise UsageError(f"{data} holds no trajectory of at most {most} tokens", hint="--max-tokens N")
    device = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    torch.manual_seed(plan.seed)
    try:
        model = bases.load(base, torch.bfloat16, device)
    except (OSError, KeyError, ValueError) as exc:
        raise ModelMissing(f"{base} cannot be read: {exc}") from exc
    model, progress, optimizer = prepare(model, out, plan, resume)
    _say(f"{len(training)} trajectories, {sum(len(r.ids) for r in training):,} tokens, on {device}")
    stop = _Stop()
    with (out / "log.jsonl").open("a", encoding="utf-8") as log:
        train(model.to(device), training, held, plan, out, _Teller(log), progress=progress, optimizer_state=optimizer,
              stopped=lambda: stop.asked)  # fmt: skip
    if stop.asked:
        _say("stopped; a checkpoint is kept: --resume goes on from it")


class _Stop:
    """The first Ctrl-C ends the training after its step, with a checkpoint; the second ends at once."""

    def __init__(self) -> None:
        self.asked = False
        signal.signal(signal.SIGINT, self._ask)
        signal.signal(signal.SIGTERM, self._ask)

    def _ask(self, number: int, frame: object) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


class _Teller:
    """A line in the log, and the same figures on a terminal's last line."""

    def __init__(self, log: Any) -> None:
        self._log = log

    def __call__(self, progress: Any) -> None:
        from dataclasses import asdict

        self._log.write(json.dumps(asdict(progress)) + "\n")
        self._log.flush()
        speed = progress.tokens / max(1e-9, progress.seconds)
        valid = f", validation {progress.valid_loss:.4f}" if progress.valid_loss is not None else ""
        line = f"step {progress.step} of {progress.steps}, loss {progress.loss:.4f}{valid}, {speed:.0f} tokens/s"
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\x1b[K{line}" + ("\n" if valid else ""))
        elif valid or progress.step % 100 == 0:
            sys.stderr.write(line + "\n")
        sys.stderr.flush()


def _say(text: str) -> None:
    from hds_cli.render.text import clean

    sys.stderr.write(clean(text) + "\n")
