"""What the installed llama.cpp is, and the sentence for one that was built for another processor."""

from __future__ import annotations

import json
import signal
import sys

import pytest

from hds_cli.engine.llama import probe
from hds_cli.engine.llama.devices import Device
from hds_cli.engine.llama.probe import Build
from hds_cli.errors import ModelUnusable

OLD = frozenset({"sse4_2", "avx"})
NEW = frozenset({"avx", "avx2", "fma", "f16c", "bmi2"})


def script(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def test_the_installed_build_says_what_it_is() -> None:
    """Its version, and at least the processor among its devices."""
    build = probe.probed()
    assert build.version[0].isdigit()
    assert any(not device.is_gpu and device.total > 0 for device in build.devices)
    assert bool(build.gpus) <= build.gpu_offload


def test_what_a_build_says_is_read_back() -> None:
    card = {"backend": "CUDA", "name": "NVIDIA H100", "is_gpu": True, "free": 79, "total": 80}
    said = {"version": "1.2", "gpu_offload": True, "features": ["AVX2"], "devices": [card]}
    build = probe.probed(script(f"print({json.dumps(json.dumps(said))})"))
    assert build == Build("1.2", True, ("AVX2",), (Device("CUDA", "NVIDIA H100", True, 79, 80),))
    assert build.gpus == build.devices


@pytest.mark.skipif(sys.platform == "win32", reason="no signals")
@pytest.mark.parametrize(("number", "said"), [(signal.SIGILL, "illegal instruction"), (signal.SIGSEGV, "SIGSEGV")])
def test_a_build_that_ends_the_process_is_a_sentence(number: signal.Signals, said: str) -> None:
    with pytest.raises(ModelUnusable) as error:
        probe.probed(script(f"import os; os.kill(os.getpid(), {int(number)})"))
    assert said in error.value.message
    assert error.value.hint == probe.HERE


@pytest.mark.parametrize("output", ["", "[]", "{}", "nonsense", '{"version": 1}'])
def test_a_process_that_says_nonsense_is_an_error(output: str) -> None:
    with pytest.raises(ModelUnusable):
        probe.probed(script(f"print({output!r})"))


def test_a_process_that_does_not_end_is_ended() -> None:
    with pytest.raises(ModelUnusable, match="does not load"):
        probe.child(script("import time; time.sleep(60)"), seconds=0.5)


def test_the_instructions_that_a_processor_lacks_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """AVX512 only where nothing else is missing; nothing where the system does not tell."""
    assert probe.missing(OLD) == ["AVX2", "FMA", "F16C", "BMI2"]
    assert probe.missing(NEW) == ["AVX512"]
    assert probe.missing(frozenset()) == []
    monkeypatch.setattr(probe, "flags", lambda: OLD)
    assert probe.broken(-signal.SIGILL, "on m.gguf").message.startswith("this build needs AVX2, FMA, F16C, BMI2, which")
    monkeypatch.setattr(probe, "flags", frozenset)
    assert "made for another processor" in probe.broken(-signal.SIGILL, "on m.gguf").message


def test_a_build_that_leaves_instructions_unused_is_noticed() -> None:
    basic = Build("1", False, ("SSE3", "AVX"), ())
    assert probe.unused(basic, NEW) == ["AVX2", "FMA"]
    assert probe.unused(basic, OLD) == []
    assert probe.unused(Build("1", False, ("AVX2", "FMA"), ()), NEW) == []
