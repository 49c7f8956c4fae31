"""Fit the weights of `hds_verify.facts` to an adapter; what it prints belongs there.

    python -m hds_verify.training.fit HELD_CLAIMS.jsonl HELD_PASSAGES.jsonl --data DATA [--adapter FILE]

The weights of the facts come from the training claims, without the model: it has seen those. How far the model and the
facts are believed (five numbers) comes from the claims that were held out.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hds_cli.agent.verifying import Odds, Text
from hds_verify import ADAPTER, Small, opened
from hds_verify.facts import Facts, Read
from hds_verify.kept import Kept
from hds_verify.training import data
from hds_verify.training.data import Group

_DECAY = 3.0  # of the weights of the facts
_STEPS, _RATE = 3000, 0.03


def facts_of(groups: Sequence[Group]) -> np.ndarray:
    """The facts of all claims, (claims, facts)."""
    rows: list[Facts] = []
    for group in groups:
        read = Read(Text(group.title, group.text))
        rows += [read.facts(claim.text) for claim in group.claims]
    return np.array(rows, dtype=float)


def labels_of(groups: Sequence[Group]) -> np.ndarray:
    """The labels of all claims, (claims, 3), each row with one 1."""
    return np.eye(3)[[data.NAMES.index(claim.label) for group in groups for claim in group.claims]]


def logs_of(groups: Sequence[Group], verifier: Small) -> np.ndarray:
    """The log probabilities that the model alone gives all claims, (claims, 3)."""
    verifier.weigh = lambda logits, _: Odds(*_softmax(np.array([logits]))[0])
    found = verifier.verify([Text(g.title, g.text) for g in groups], [[c.text for c in g.claims] for g in groups])
    return np.log(np.array([odds for of_group in found for odds in of_group]) + 1e-9)


def weights(facts: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The weights of the facts alone, (facts, 3), whose rows add up to 0."""
    facts = np.concatenate([facts, np.ones((len(facts), 1))], axis=1)  # what is true of all claims is no fact's weight
    found = _least(facts[:, :, None, None] * np.eye(3), labels, _DECAY)[:-1]
    return found - found.mean(axis=1, keepdims=True)


def beliefs(logs: np.ndarray, added: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """What the model's log probabilities are worth, the three constants, and what the facts are worth."""
    constants = np.broadcast_to(np.eye(3), (len(logs), 3, 3))
    return _least(np.concatenate([logs[:, None], constants, added[:, None]], axis=1)[:, :, :, None], labels, 0.0)[:, 0]


def _least(inputs: np.ndarray, labels: np.ndarray, decay: float) -> np.ndarray:
    """The weights with the least cross-entropy, by Adam. `inputs`: (claims, n, 3, m) for weights (n, m)."""
    found = np.zeros((inputs.shape[1], inputs.shape[3]))
    first, second = np.zeros_like(found), np.zeros_like(found)
    for step in range(1, _STEPS + 1):
        wrong = _softmax(np.einsum("knlm,nm->kl", inputs, found)) - labels
        slope = (np.einsum("knlm,kl->nm", inputs, wrong) + decay * found) / len(labels)
        first, second = 0.9 * first + 0.1 * slope, 0.99 * second + 0.01 * slope**2
        size = (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.99**step)) + 1e-8)
        found = found - _RATE * (1 - (step - 1) / _STEPS) * size
    return found


def _softmax(scores: np.ndarray) -> np.ndarray:
    parts = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(parts / parts.sum(axis=1, keepdims=True))


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m hds_verify.training.fit", description=__doc__)
    parser.add_argument("claims", type=Path)
    parser.add_argument("passages", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--adapter", type=Path, default=ADAPTER)
    options = parser.parse_args()
    folder = options.data / "claims"
    handed = data.read_jsonl(folder / "claims_train.jsonl", folder / "passages_train.jsonl")
    training, _ = data.split(handed, data.read_blocks(options.data))
    held = data.read_jsonl(options.claims, options.passages)
    alone = weights(facts_of(training), labels_of(training))
    verifier = opened(options.adapter, kept=Kept("", disk=False))
    trust, *constants, share = beliefs(logs_of(held, verifier), facts_of(held) @ alone, labels_of(held))
    verifier.close()
    named = {name: tuple(row.round(2).tolist()) for name, row in zip(Facts._fields, share * alone, strict=True)}
    lines = [f"_TRUST = {trust:.3f}", f"_CONSTANTS = {tuple(round(float(one), 3) for one in constants)}"]
    sys.stdout.write("\n".join([*lines, f"_WEIGHTS = {named}  # {share:.2f} of those of the facts alone", ""]))


if __name__ == "__main__":
    main()
