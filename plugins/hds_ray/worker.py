"""What runs on a node: a desk that answers one question after another."""

from __future__ import annotations

import json
import platform
from contextlib import AsyncExitStack
from dataclasses import asdict, replace
from typing import Any

import hds_cli
from hds_cli import events
from hds_cli.config import Settings
from hds_cli.errors import HdsError


class Worker:
    """A desk on this node; it becomes an actor of Ray.

    Args:
        settings: those of the command.
        version: its version of hds.
    """

    def __init__(self, settings: Settings, version: str) -> None:
        self._settings, self._version = settings, version
        self._open = AsyncExitStack()
        self._desk: Any = None

    async def about(self) -> dict[str, Any]:
        """The model, and what there is to say of it; `error` where it cannot be used, on the machine `node`."""
        from hds_cli.desk.desk import warnings

        try:
            desk = await self._opened()
        except HdsError as exc:
            return {"error": _error(exc), "node": platform.node()}
        said = [notice.message for notice in warnings(desk.model, self._settings)]
        return {"info": asdict(replace(desk.model.info, file=None)), "said": said}

    async def answer(self, question: str) -> dict[str, Any]:
        """The events of one question; `error` where it could not be answered."""
        seen: list[dict[str, Any]] = []
        try:
            desk = await self._opened()
            await desk.answer(question, lambda event: seen.append(json.loads(events.line(event))))
        except HdsError as exc:
            return {"events": seen, "error": _error(exc)}
        return {"events": seen}

    async def _opened(self) -> Any:
        if self._desk is None:
            from hds_cli.desk.desk import desk
            from hds_cli.engine.opening import find_model

            if self._version != hds_cli.__version__:
                raise HdsError(
                    f"a node of the cluster has hds {hds_cli.__version__}, and this is {self._version}",
                    hint="install the same version on every node", code="cluster",
                )  # fmt: skip
            self._desk = await self._open.enter_async_context(desk(find_model(self._settings), self._settings))
        return self._desk


def _error(exc: HdsError) -> dict[str, Any]:
    return {"code": exc.error_code, "message": exc.message, "hint": exc.hint}


def decoded(answer: dict[str, Any]) -> list[events.Event]:
    """The events of an answer."""
    return [events.from_dict(event) for event in answer["events"]]
