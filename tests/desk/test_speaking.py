"""The prompt's text: as it was trained, also where a copy of it was pasted from a program."""

from __future__ import annotations

import hashlib

import pytest

from hds_cli.desk.speaking import known_text

TRAINED = '**Task:**\n\nSeparate them by ";\n").\n* One.\n'
DIGEST = hashlib.sha256(TRAINED.encode()).hexdigest()


@pytest.mark.parametrize(
    "pasted",
    [
        TRAINED,
        TRAINED.rstrip(),
        f"{TRAINED}\n\n",
        TRAINED.replace("\n", "\r\n"),
        TRAINED.replace('";\n"', '";\\n"'),
        TRAINED.strip().replace("\n", "\\n"),
        f"\ufeff{TRAINED}",
    ],
)
def test_a_pasted_prompt_becomes_the_trained_one(pasted: str) -> None:
    """Line ends, and a backslash-n that Python would have read."""
    assert known_text(pasted, DIGEST) == TRAINED


def test_another_text_stays_as_it_is() -> None:
    """Whatever is in it: only the known checksum is a reason to change it."""
    assert known_text("Mine:\\n\r\n one\n\n", DIGEST) == "Mine:\\n\r\n one\n\n"
