"""The training loop: LoRA (Hu et al., arXiv 2106.09685) with checkpoints from which it goes on exactly."""

from __future__ import annotations

import json
import math
import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from peft.helpers import disable_input_dtype_casting

from hds_cli.errors import UsageError
from hds_train.base import MODULES
from hds_train.data import Row, batches

CHECKPOINT = "checkpoint"
Tell = Callable[["Progress"], None]


@dataclass(frozen=True)
class Plan:
    """The plan of a training. `minutes` bounds it in time; the learning rate falls as a cosine over steps or time."""

    epochs: float = 1.0
    minutes: float | None = None
    rank: int = 16
    lr: float = 1e-3
    batch_tokens: int = 2200
    seed: int = 1
    save_every: float = 300.0


@dataclass
class Progress:
    """How far a training has come. Times are in seconds, `loss` is a mean over the steps since the last report."""

    step: int = 0
    steps: int = 0
    tokens: int = 0
    seconds: float = 0.0
    loss: float = 0.0
    valid_loss: float | None = None


def prepare(base: Any, folder: Path, plan: Plan, resume: bool) -> tuple[Any, Progress, dict[str, Any] | None]:
    """The model with its adapter, and where an earlier training stopped.

    Raises:
        UsageError: there is a training in `folder` that was not asked to go on.
    """
    saved = folder / CHECKPOINT
    if saved.exists() and not resume:
        raise UsageError(f"{folder} holds a training already", hint="hds train … --resume   or another --out")
    start = saved if saved.exists() else folder
    if resume and (start / "adapter_config.json").exists():
        model = PeftModel.from_pretrained(base, start, is_trainable=True)
        state = start / "state.json"
        progress = Progress(**json.loads(state.read_text())) if state.exists() else Progress()
        optimizer = torch.load(start / "optimizer.pt", weights_only=True) if state.exists() else None
        return model, progress, optimizer
    config = LoraConfig(r=plan.rank, lora_alpha=2 * plan.rank, target_modules=MODULES, task_type="CAUSAL_LM")
    return get_peft_model(base, config), Progress(), None


def train(
    model: Any, training: Sequence[Row], valid: Sequence[Row], plan: Plan, folder: Path, tell: Tell, *,
    progress: Progress, optimizer_state: dict[str, Any] | None, stopped: Callable[[], bool],
) -> Progress:  # fmt: skip
    """Train until the plan is done or `stopped`; a checkpoint is left in either case."""
    todo = batches(training, plan.batch_tokens, plan.seed)
    progress.steps = max(1, round(plan.epochs * len(todo)))
    weights = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=plan.lr, weight_decay=0.0)
    if optimizer_state:
        optimizer.load_state_dict(optimizer_state)
    begun, saved, losses = time.monotonic() - progress.seconds, time.monotonic(), []
    model.train()
    while not stopped() and (done := _share(progress, plan)) < 1:
        for group in optimizer.param_groups:
            group["lr"] = plan.lr * min(1, (progress.step + 1) / 20) * (0.5 * (1 + math.cos(math.pi * done)) + 0.02)
        loss, tokens = loss_of(model, todo[progress.step % len(todo)])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
        progress.step, progress.tokens = progress.step + 1, progress.tokens + tokens
        progress.seconds = time.monotonic() - begun
        if progress.step % 10 == 0:
            progress.loss, losses = sum(losses) / len(losses), []
            tell(progress)
        if time.monotonic() - saved > plan.save_every:
            save(model, optimizer, folder, progress)
            saved = time.monotonic()
    progress.valid_loss = validate(model, valid, plan) if valid else None
    save(model, optimizer, folder, progress)
    tell(progress)
    return progress


def _share(progress: Progress, plan: Plan) -> float:
    """How much of the plan is done, 0 to 1: of its steps or of its time, whichever is further."""
    by_time = progress.seconds / (60 * plan.minutes) if plan.minutes else 0.0
    return max(by_time, progress.step / progress.steps)


def loss_of(model: Any, batch: Sequence[Row]) -> tuple[torch.Tensor, int]:
    """Mean cross-entropy over the learned tokens, and the tokens read.

    Logits are made for the learned tokens alone: over a large vocabulary they are a third of a small model's cost.
    """
    device = next(model.parameters()).device
    width = max(len(row.ids) for row in batch)
    # Padding stands at the right, where causal attention never looks from a real token: no mask is needed, and the
    # attention kernels are faster without one.
    ids = torch.tensor([[*row.ids, *[0] * (width - len(row.ids))] for row in batch], device=device)
    mask = torch.tensor([[*row.mask, *[0] * (width - len(row.mask))] for row in batch], dtype=torch.bool, device=device)
    inner = model.get_base_model()
    # The adapter's weights stay float32 for the optimizer; its products are made in the base's own type.
    with (
        torch.autocast(device.type, inner.dtype, enabled=inner.dtype != torch.float32),
        disable_input_dtype_casting(model),
    ):
        hidden = inner.model(input_ids=ids, use_cache=False).last_hidden_state
        learned = mask[:, 1:]
        logits = inner.lm_head(hidden[:, :-1][learned])
    return torch.nn.functional.cross_entropy(logits.float(), ids[:, 1:][learned]), sum(len(row.ids) for row in batch)


@torch.no_grad()
def validate(model: Any, valid: Sequence[Row], plan: Plan) -> float:
    """Mean loss over trajectories that are not trained on."""
    model.eval()
    losses = [loss_of(model, batch)[0].item() for batch in batches(valid, plan.batch_tokens, 0)]
    model.train()
    return sum(losses) / len(losses)


def save(model: Any, optimizer: torch.optim.Optimizer, folder: Path, progress: Progress) -> None:
    """Leave a checkpoint, whole or not at all: the last one stays until the new one is complete."""
    new, old = folder / f".{CHECKPOINT}.new", folder / CHECKPOINT
    shutil.rmtree(new, ignore_errors=True)
    model.save_pretrained(new)
    torch.save(optimizer.state_dict(), new / "optimizer.pt")
    (new / "state.json").write_text(json.dumps(asdict(progress)))
    shutil.rmtree(folder / f".{CHECKPOINT}.old", ignore_errors=True)
    if old.exists():
        os.replace(old, folder / f".{CHECKPOINT}.old")
    os.replace(new, old)
    shutil.rmtree(folder / f".{CHECKPOINT}.old", ignore_errors=True)
