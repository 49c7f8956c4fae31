"""The door to other machines that answer questions, each with a desk of its own."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from hds_cli import events
from hds_cli.config import Settings
from hds_cli.plugins import make
from hds_cli.types import ModelInfo

GROUP = "hds.clusters.v1"


class Nodes(Protocol):
    """An open cluster: an `Answerer` of a batch (`desk.batch`)."""

    @property
    def info(self) -> ModelInfo:
        """The model that its nodes have loaded."""

    @property
    def notices(self) -> Sequence[str]:
        """What there is to say before the first question."""

    async def answer(self, question: str, emit: events.Emit) -> events.RunFinished:
        """Research one question on a node; every event goes to `emit`, `RunFinished` last.

        Raises:
            HdsError: what stood in the way there.
        """


def cluster(name: str, address: str, settings: Settings, jobs: int) -> AbstractAsyncContextManager[Nodes]:
    """The cluster at `address`, which answers so many questions at once from `async with` on.

    Raises:
        PluginError: there is no such plugin, or it does not load.
        HdsError: there is no such cluster, or its nodes cannot use the model.
    """
    opened: AbstractAsyncContextManager[Nodes] = make(
        GROUP, name, address, settings, jobs, needs=("__aenter__", "__aexit__", "answer")
    )
    return opened


__all__ = ["Nodes", "cluster"]
