"""The loopback server and the settings of the page layer's tests, for plugins too."""

from tests.fetch.conftest import server, settings

__all__ = ["server", "settings"]
