"""Teach the starter: LoRA on SmolLM2-135M-Instruct over trajectories of `make_data`, the loss only on what it writes.

    python -m hds_starter.training.train BASE.gguf train.jsonl --out lora --minutes 50

Needs torch, transformers, peft and gguf (none of them needed to use the result). The base is dequantized from the very
GGUF that llama.cpp runs. A checkpoint is written every five minutes; `--resume` goes on from it.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from pathlib import Path

import numpy as np
import torch
from gguf import GGUFReader, dequantize
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

MODULES = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
_NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}


def load_base(path: Path, dtype: torch.dtype = torch.bfloat16) -> LlamaForCausalLM:
    """The GGUF's weights as a transformers model; llama.cpp's order of the q and k rows is undone."""
    reader = GGUFReader(path)

    def get(key: str) -> int | float:
        return reader.fields[key].contents()

    heads, kv_heads = int(get("llama.attention.head_count")), int(get("llama.attention.head_count_kv"))
    layers = int(get("llama.block_count"))
    tensors = {t.name: torch.from_numpy(np.array(dequantize(t.data, t.tensor_type))) for t in reader.tensors}
    config = LlamaConfig(
        vocab_size=tensors["token_embd.weight"].shape[0],
        hidden_size=int(get("llama.embedding_length")),
        intermediate_size=int(get("llama.feed_forward_length")),
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=kv_heads,
        rms_norm_eps=float(get("llama.attention.layer_norm_rms_epsilon")),
        rope_theta=float(get("llama.rope.freq_base")),
        max_position_embeddings=int(get("llama.context_length")),
        tie_word_embeddings=True,
    )
    state = {
        "model.embed_tokens.weight": tensors["token_embd.weight"],
        "model.norm.weight": tensors["output_norm.weight"],
        "lm_head.weight": tensors["token_embd.weight"],
    }
    for layer in range(layers):
        for theirs, ours in _NAMES.items():
            weight = tensors[f"blk.{layer}.{ours}.weight"]
            if ours in ("attn_q", "attn_k"):
                n = heads if ours == "attn_q" else kv_heads
                weight = weight.reshape(n, weight.shape[0] // n // 2, 2, -1).swapaxes(1, 2).reshape(weight.shape)
            state[f"model.layers.{layer}.{theirs}.weight"] = weight
    model = LlamaForCausalLM(config)
    missing = model.load_state_dict(state, strict=False)
    if missing.missing_keys or missing.unexpected_keys:
        raise SystemExit(f"the base is not a plain llama model: {missing}")
    return model.to(dtype)


def batches(path: Path, most: int, seed: int) -> list[list[tuple[list[int], list[int]]]]:
    """Trajectories of like length together, at most `most` tokens with padding a batch, in random order."""
    rows = []
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            rows.append((row["ids"], row["mask"]))
    rows.sort(key=lambda r: len(r[0]))
    made: list[list[tuple[list[int], list[int]]]] = [[]]
    for row in rows:
        if made[-1] and (len(made[-1]) + 1) * len(row[0]) > most:
            made.append([])
        made[-1].append(row)
    random.Random(seed).shuffle(made)
    return made


def loss_of(model: torch.nn.Module, batch: list[tuple[list[int], list[int]]]) -> tuple[torch.Tensor, int]:
    """Mean cross-entropy over the learned tokens; logits are made for those alone (the vocabulary is a third of the cost)."""
    width = max(len(ids) for ids, _ in batch)
    ids = torch.tensor([i + [0] * (width - len(i)) for i, _ in batch])
    mask = torch.tensor([m + [0] * (width - len(m)) for _, m in batch], dtype=torch.bool)
    attention = torch.tensor([[1] * len(i) + [0] * (width - len(i)) for i, _ in batch])
    inner = model.get_base_model()
    hidden = inner.model(input_ids=ids, attention_mask=attention).last_hidden_state
    learned = mask[:, 1:]
    logits = inner.lm_head(hidden[:, :-1][learned])
    return torch.nn.functional.cross_entropy(logits.float(), ids[:, 1:][learned]), int(attention.sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("base", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, default=Path("lora"))
    parser.add_argument("--minutes", type=float, default=50)
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--batch-tokens", type=int, default=2200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--resume", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    base = load_base(args.base)
    state_file = args.out / "state.json"
    progress = {"step": 0, "tokens": 0, "seconds": 0.0}
    if args.resume and state_file.exists():
        model = PeftModel.from_pretrained(base, args.out, is_trainable=True)
        progress = json.loads(state_file.read_text())
    else:
        config = LoraConfig(r=args.rank, lora_alpha=2 * args.rank, target_modules=MODULES, task_type="CAUSAL_LM")
        model = get_peft_model(base, config)
    train(model, batches(args.data, args.batch_tokens, args.seed), args, progress)


def train(model: PeftModel, made: list, args: argparse.Namespace, progress: dict) -> None:
    weights = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=args.lr, weight_decay=0.0)
    budget, begun, saved = args.minutes * 60, time.time() - progress["seconds"], time.time()
    while (spent := time.time() - begun) < budget:
        rate = args.lr * min(1, (progress["step"] + 1) / 20) * (0.5 * (1 + math.cos(math.pi * spent / budget)) + 0.02)
        for group in optimizer.param_groups:
            group["lr"] = rate
        loss, tokens = loss_of(model, made[progress["step"] % len(made)])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        progress["step"] += 1
        progress["tokens"] += tokens
        progress["seconds"] = time.time() - begun
        if progress["step"] % 20 == 0:
            speed = progress["tokens"] / progress["seconds"]
            print(
                f"step {progress['step']} loss {loss.item():.4f} {progress['tokens']} tokens {speed:.0f} tokens/s",
                flush=True,
            )
        if time.time() - saved > 300:
            save(model, args.out, progress)
            saved = time.time()
    save(model, args.out, progress)
    print(f"done: {progress}")


def save(model: PeftModel, out: Path, progress: dict) -> None:
    model.save_pretrained(out)
    (out / "state.json").write_text(json.dumps(progress))


if __name__ == "__main__":
    main()
