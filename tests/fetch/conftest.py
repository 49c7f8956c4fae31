"""What the tests of the page layer share. Only loopback is ever spoken to."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from hds_cli.config import Settings
from tests.fetch.web import Web, web

T = TypeVar("T")
LONG = bool(os.environ.get("HDS_LONG"))


@pytest.fixture
def server() -> Iterator[Web]:
    with web() as running:
        yield running


@pytest.fixture
def settings(tmp_path: Path) -> Callable[..., Settings]:
    """Settings with a cache of their own; keyword arguments are fields."""

    def make(**fields: Any) -> Settings:
        return Settings(**{"cache_dir": str(tmp_path / "pages"), "fetch_timeout": 5.0, **fields})

    return make


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def shared(*parts: str) -> Path:
    """A file or folder of the shared test data; the test is skipped where it is absent."""
    root = Path(os.environ.get("HDS_SHARED_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")
    path = root.joinpath(*parts)
    if not path.exists():
        pytest.skip("no shared test data (HDS_SHARED_DATA)")
    return path


def json_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
