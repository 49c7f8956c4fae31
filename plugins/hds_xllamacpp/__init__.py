"""The engine `xllamacpp`: llama.cpp's own server in this process, from a wheel that needs no compiler.

The server listens at a Unix socket in a folder that only the user may enter; nothing of it can be reached from
elsewhere. Prompts go to it as token ids, so untrusted text never forms a control token. A fork is another slot of the
server, which takes over the beginning that it shares with what a slot has evaluated.

It has no logits beside those that it draws from: the verifier loads its own weights, with llama-cpp-python.
"""

from __future__ import annotations

from hds_xllamacpp.engine import Xllamacpp

__all__ = ["Xllamacpp"]
