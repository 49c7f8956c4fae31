"""hds: a research assistant that lives in the terminal.

The names below are what authors of plugins may rely on; they are imported when they are used.
"""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"

_PUBLIC = {
    "BundledCollection": "hds_cli.search.base",
    "Document": "hds_cli.types",
    "HdsError": "hds_cli.errors",
    "JsonApi": "hds_cli.search.base",
    "ModelSpec": "hds_cli.engine.base",
    "Page": "hds_cli.types",
    "ReadingSource": "hds_cli.search.base",
    "SearchResult": "hds_cli.types",
    "Source": "hds_cli.search.base",
    "SourceContext": "hds_cli.search.base",
    "SourceError": "hds_cli.errors",
}
__all__ = [*_PUBLIC, "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'hds_cli' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_PUBLIC[name]), name)
