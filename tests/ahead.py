"""Runs of the command that tests look at one by one, made two at a time: a second core is not left idle."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

Result = TypeVar("Result")


@contextmanager
def ahead(
    request: pytest.FixtureRequest,
    test: str,
    run: Callable[..., Result],
    *,
    at_once: int = 2,
    alone: Callable[..., bool] = lambda **params: False,
) -> Iterator[Callable[..., Result]]:
    """What `run` gives for the parameters of a test, begun for all of them that are selected.

    Each run stands by itself, so that neither their order nor their number says anything about one; one that raises
    does so in the test that asks for it.

    Args:
        request: of a fixture of the module, in which the test has the name `test`.
        run: takes the test's parameters by name.
        at_once: how many are made at a time.
        alone: says of parameters that nothing else is to run meanwhile; such a run begins when it is asked for.
    """
    chosen = [
        item.callspec.params
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.path == request.path and item.originalname == test
    ]
    with ThreadPoolExecutor(at_once) as pool:
        begun = [(params, pool.submit(run, **params)) for params in chosen if not alone(**params)]

        def found(**params: object) -> Result:
            if not alone(**params):
                return next(made for given, made in begun if given == params).result()
            wait([made for _, made in begun])
            return run(**params)

        try:
            yield found
        finally:
            pool.shutdown(cancel_futures=True)


def environment(home: Path, **more: str) -> dict[str, str]:
    """This environment with another home, and no other HDS_ variable."""
    return (
        {name: value for name, value in os.environ.items() if not name.startswith("HDS_")}
        | {"HDS_HOME": str(home)}
        | more
    )
