"""The verifier of a desk: opened once, and not again when the desk is closed."""

from __future__ import annotations

import pytest

from hds_cli.config import Settings
from hds_cli.desk import verifying
from hds_cli.errors import ModelUnusable


class Made:
    """A verifier that counts how often it was closed."""

    sure_supported = sure_contradicted = 0.9

    def __init__(self) -> None:
        self.closed = 0

    def verify(self, *_: object) -> list[list[None]]:
        return []

    def close(self) -> None:
        self.closed += 1


def test_a_closed_desk_loads_no_verifier(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that ends late would load one that nobody gives back."""
    made: list[Made] = []

    def make(*_: object, **__: object) -> Made:
        made.append(Made())
        return made[-1]

    monkeypatch.setattr(verifying, "entry_points", lambda _: {"small": None})
    monkeypatch.setattr(verifying, "make", make)
    one = verifying.Verifying(Settings(verifier="small"))
    assert one.open() is one.open() is made[0]
    one.close()
    one.close()
    with pytest.raises(ModelUnusable, match="closed"):
        one.open()
    assert [each.closed for each in made] == [1]


def test_a_verifier_takes_the_seconds_that_were_set() -> None:
    """Otherwise its own: few for a small one, more for a model that is asked."""
    (method,) = verifying.Verifying(Settings(verifier="some.gguf", verify_timeout=90.0)).methods()
    (usual,) = verifying.Verifying(Settings(verifier="some.gguf")).methods()
    assert (method.seconds, usual.seconds) == (90.0 + 15.0, 60.0 + 15.0)
