"""Variables of the environment that look like ones of hds and are other programs'."""

from __future__ import annotations

import pytest

from hds_cli import config
from hds_cli.errors import ConfigError
from hds_cli.settings_variables import strays
from tests.conftest import Hds

SOURCES = ["wikipedia", "brave", "notes"]


def test_a_variable_of_no_source_is_named_with_the_one_meant() -> None:
    """A near miss has its name; another program's has none; those that are read are not mentioned."""
    names = "HDS_WIKIPEDA_LANGUAGE HDS_FOO_URL HDS_BRAVE_API_KEY HDS_SEARXNG_URL HDS_HOME HDS_DATA_PATH PATH".split()
    assert list(strays(dict.fromkeys(names, "x"), lambda: SOURCES)) == [
        ("HDS_FOO_URL", None), ("HDS_WIKIPEDA_LANGUAGE", "HDS_WIKIPEDIA_LANGUAGE")
    ]  # fmt: skip


def test_the_names_of_sources_are_not_looked_up_for_nothing() -> None:
    """Most starts have no such variable."""
    assert not list(strays({"HDS_TOP_K": "3", "HDS_HOME": "/h"}, lambda: pytest.fail("asked")))


def test_a_wrong_value_is_an_error_for_who_asks_for_its_source() -> None:
    """Others are not concerned."""
    settings = config.load(environ={"HDS_WIKIPEDIA_URL": "abc", "HDS_BRAVE_URL": "https://brave.example"})
    assert settings.source_settings("brave").url == "https://brave.example"
    with pytest.raises(ConfigError, match="must begin with http"):
        settings.source_settings("wikipedia")


def test_another_program_s_variable_ends_no_command(hds: Hds) -> None:
    """It is warned of once, without its value."""
    done = hds("index", "list", env={"HDS_FOO_URL": "not-an-address", "HDS_MODLE": "x"})
    assert done.returncode == 0
    assert done.stderr.count("HDS_FOO_URL") == 1
    assert "not-an-address" not in done.stderr
    assert "did you mean HDS_MODEL?" in done.stderr
