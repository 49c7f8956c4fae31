"""Train the verifier's adapter. All claims of a passage share its tokens in one packed row: each claim sees the passage
and itself, and stands where it would stand alone.

    python -m hds_verify.training.train OUT --base BASE.gguf --data DATA [--minutes 60] [--epochs 4] [--init EARLIER]

`--frozen 10` leaves the adapter of the ten layers nearest to the input as `--init` has it, which spares a third of the
backward pass. DATA is the folder of the question sets, with `claims/` in it. OUT gets the adapter (PEFT and GGUF) every
`--save` minutes and the claims that were held out of the training, as `held_claims.jsonl` and `held_passages.jsonl`.
"""

from __future__ import annotations

import argparse
import math
import random
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model, set_peft_model_state_dict
from peft.helpers import disable_input_dtype_casting
from safetensors.torch import load_file
from transformers import AutoTokenizer

from hds_train.adapter import export
from hds_train.base import MODULES, load
from hds_verify import PASSAGE_TOKENS
from hds_verify.training import data
from hds_verify.training.data import Group

_LAYER = re.compile(r"\.layers\.(\d+)\.")
Row = tuple[list[int], list[list[int]], list[int]]
"""The ids of a passage, the ids of each claim, and the place of each label."""


class Packed:
    """Rows as tensors: ids, positions, the attention mask, where the classes are read, and the labels."""

    def __init__(self, rows: Sequence[Row], dtype: torch.dtype) -> None:
        width = max(map(length, rows))
        self.ids = torch.zeros(len(rows), width, dtype=torch.long)
        self.positions = torch.zeros(len(rows), width, dtype=torch.long)
        self.at: list[tuple[int, int]] = []
        sees = torch.eye(width, dtype=torch.bool).repeat(len(rows), 1, 1)
        for n, (head, tails, _) in enumerate(rows):
            begin = len(head)
            self.ids[n, :begin] = torch.tensor(head)
            self.positions[n, :begin] = torch.arange(begin)
            sees[n, :begin, :begin] = torch.ones(begin, begin).tril().bool()
            for tail in tails:
                end = begin + len(tail)
                self.ids[n, begin:end] = torch.tensor(tail)
                self.positions[n, begin:end] = torch.arange(len(head), len(head) + len(tail))
                sees[n, begin:end, : len(head)] = True
                sees[n, begin:end, begin:end] = torch.ones(len(tail), len(tail)).tril().bool()
                self.at.append((n, end - 1))
                begin = end
        hidden = torch.zeros(len(rows), 1, width, width, dtype=dtype)
        self.mask = hidden.masked_fill_(~sees[:, None], torch.finfo(dtype).min)
        self.labels = torch.tensor([label for _, _, labels in rows for label in labels])


def length(row: Row) -> int:
    """Tokens of a packed row."""
    return len(row[0]) + sum(map(len, row[1]))


class Learner:
    """The base with an adapter, and the classes of claims."""

    def __init__(self, base: Path, rank: int, frozen: int = 0) -> None:
        self._tokenizer = AutoTokenizer.from_pretrained(str(base.parent), gguf_file=base.name)
        model = load(base, torch.bfloat16, "cpu")
        model.set_attn_implementation("eager")  # the fastest on a processor with a mask of one's own
        config = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=MODULES, task_type="CAUSAL_LM")
        self.model = get_peft_model(model, config)
        for weight in self.weights:
            weight.data = weight.data.float()
        for name, weight in self.model.named_parameters():
            place = _LAYER.search(name)
            if place and int(place[1]) < frozen:
                weight.requires_grad_(False)
        self._labels = torch.tensor([self._ids(label)[0] for label in data.LABELS.values()])

    @property
    def weights(self) -> list[torch.nn.Parameter]:
        """What is learned."""
        return [weight for weight in self.model.parameters() if weight.requires_grad]

    def _ids(self, text: str) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def row(self, group: Group, before: str = "", after: str = "") -> Row:
        """A passage with its claims; a long passage is cut."""
        head, close = self._ids(data.beginning(group, before, after)), self._ids("\nClaim:")
        if len(head) > PASSAGE_TOKENS:
            head = head[: PASSAGE_TOKENS - len(close)] + close
        labels = [data.NAMES.index(claim.label) for claim in group.claims]
        return head, [self._ids(data.ending(claim)) for claim in group.claims], labels

    def logits(self, packed: Packed) -> torch.Tensor:
        """The logits of the three labels for each claim, (claims, 3)."""
        inner = self.model.get_base_model()
        with torch.autocast("cpu", torch.bfloat16), disable_input_dtype_casting(self.model):
            hidden = inner.model(
                input_ids=packed.ids, attention_mask=packed.mask, position_ids=packed.positions, use_cache=False
            ).last_hidden_state
            rows, places = zip(*packed.at, strict=True)
            last = hidden[list(rows), list(places)]
            return (last @ inner.lm_head.weight[self._labels].T).float()


def batches(rows: Sequence[Row], tokens: int, rng: random.Random) -> list[list[Row]]:
    """Rows of like length together, at most `tokens` a batch with its padding."""
    out: list[list[Row]] = []
    for row in sorted(rows, key=length):
        if out and (len(out[-1]) + 1) * length(row) <= tokens:
            out[-1].append(row)
        else:
            out.append([row])
    rng.shuffle(out)
    return out


@torch.no_grad()
def right(learner: Learner, groups: Sequence[Group]) -> float:
    """The share of claims whose likeliest label is theirs."""
    good = total = 0
    for group in groups:
        packed = Packed([learner.row(group)], torch.bfloat16)
        good += int((learner.logits(packed).argmax(-1) == packed.labels).sum())
        total += len(packed.labels)
    return good / total


def train(learner: Learner, training: Sequence[Group], held: Sequence[Group], options: argparse.Namespace) -> None:
    """The loop: a cosine over the epochs or the minutes, whichever is over first."""
    rng = random.Random(options.seed)
    optimizer = torch.optim.AdamW(learner.weights, lr=options.lr, weight_decay=0.01, betas=(0.9, 0.98))
    begun, step, steps, losses = time.monotonic(), 0, 0, []
    saved, done = begun, 0.0
    while done < 1:
        todo = batches([learner.row(*one) for one in data.varied(training, rng)], options.tokens, rng)
        steps = steps or max(1, round(options.epochs * len(todo)))
        for batch in todo:
            part = max(step / steps, (time.monotonic() - begun) / (60 * options.minutes))
            done = options.at + (1 - options.at) * part
            if done >= 1:
                break
            for group in optimizer.param_groups:
                group["lr"] = options.lr * min(1, (step + 1) / 30) * (0.5 * (1 + math.cos(math.pi * done)) + 0.02)
            packed = Packed(batch, torch.bfloat16)
            loss = torch.nn.functional.cross_entropy(learner.logits(packed), packed.labels)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(learner.weights, 1.0)
            optimizer.step()
            optimizer.zero_grad()
            losses.append(loss.item())
            step += 1
            if step % 20 == 0:
                minutes = (time.monotonic() - begun) / 60
                say(f"step {step} of {steps}, loss {sum(losses[-60:]) / len(losses[-60:]):.3f}, {minutes:.1f} min")
            if time.monotonic() - saved > 60 * options.save:
                save(learner, options)
                saved = time.monotonic()
    save(learner, options)
    say(f"held out: {right(learner, held):.3f} of the labels right")


def save(learner: Learner, options: argparse.Namespace) -> None:
    """Write the adapter as it is, for PEFT and for llama.cpp."""
    learner.model.save_pretrained(options.out)
    export(options.out, options.base, options.out / "verifier-lora.gguf")


def say(text: str) -> None:
    """A line of progress."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m hds_verify.training.train", description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--epochs", type=float, default=4)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--lr", type=float, default=8e-4)
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--tokens", type=int, default=1600, help="of a batch")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--frozen", type=int, default=0, help="layers, from the lowest, whose adapter is not trained")
    parser.add_argument("--at", type=float, default=0.0, help="the part of the learning rate's cosine that is over")
    parser.add_argument("--save", type=float, default=15, help="minutes from one saving to the next")
    parser.add_argument("--init", type=Path, help="the folder of an adapter to go on from")
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    learner = Learner(options.base, options.rank, options.frozen)
    if options.init:
        set_peft_model_state_dict(learner.model, load_file(options.init / "adapter_model.safetensors"))
    claims = options.data / "claims"
    handed = data.read_jsonl(claims / "claims_train.jsonl", claims / "passages_train.jsonl")
    training, held = data.split(handed, data.read_blocks(options.data))
    options.out.mkdir(parents=True, exist_ok=True)
    data.write_jsonl(held, options.out / "held_claims.jsonl", options.out / "held_passages.jsonl")
    say(f"{len(training)} passages, {sum(len(group.claims) for group in training)} claims")
    train(learner, training, held, options)


if __name__ == "__main__":
    main()
