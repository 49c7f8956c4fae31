"""hds: a research assistant that lives in the terminal.

The names below are what authors of plugins may rely on; they are imported when they are used.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:  # this is the first file of the command: `typing` is not loaded for a name in it
    from typing import Any

__version__ = "0.1.0"

_PUBLIC = {
    "BundledCollection": "hds_cli.search.base",
    "ChatTemplate": "hds_cli.engine.base",
    "Counter": "hds_cli.engine.base",
    "Document": "hds_cli.types",
    "Engine": "hds_cli.engine.base",
    "Event": "hds_cli.events",
    "Extractor": "hds_cli.extract.plugged",
    "Generation": "hds_cli.engine.base",
    "HdsError": "hds_cli.errors",
    "JsonApi": "hds_cli.search.base",
    "ModelInfo": "hds_cli.types",
    "ModelSpec": "hds_cli.engine.base",
    "Page": "hds_cli.types",
    "Passage": "hds_cli.types",
    "ReadingSource": "hds_cli.search.base",
    "Renderer": "hds_cli.render.plugged",
    "Sampling": "hds_cli.engine.base",
    "SearchResult": "hds_cli.types",
    "Segment": "hds_cli.engine.base",
    "Selector": "hds_cli.agent.selectors.base",
    "Reading": "hds_cli.agent.selectors.base",
    "Budget": "hds_cli.agent.selectors.base",
    "Session": "hds_cli.engine.base",
    "Settings": "hds_cli.config",
    "Source": "hds_cli.search.base",
    "SourceContext": "hds_cli.search.base",
    "SourceError": "hds_cli.errors",
    "in_daemon": "hds_cli.threads",
}
__all__ = [*_PUBLIC, "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'hds_cli' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_PUBLIC[name]), name)
