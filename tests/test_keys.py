"""API keys: where they come from, and that no exit of the program shows one (security.md R10, figure F25)."""

from __future__ import annotations

import base64
import copy
import json
import pickle
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from hds_cli import config, keys
from hds_cli.errors import ConfigError
from tests.conftest import Hds

KEY = "sk-CANARY+0123456789/a\"b'c=="
PLAIN = "sk-CANARY+0123456789/abc=="


def write(home: Path, text: str, mode: int = 0o600) -> Path:
    path = home / "config" / "keys.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_secret_shows_itself_only_when_asked() -> None:
    """Printed, formatted, in a container, in an f-string: `***`; JSON and pickle refuse it."""
    secret = keys.Secret(PLAIN)
    assert {repr(secret), str(secret), f"{secret}", f"{secret!r}", f"{secret:>3}", "%s" % secret} == {"***"}  # noqa: UP031
    assert repr([secret]) == "[***]"
    assert secret.reveal() == PLAIN
    for refuse in (json.dumps, pickle.dumps, copy.deepcopy, vars):
        with pytest.raises(TypeError):
            refuse(secret)  # type: ignore[operator]


def test_the_environment_comes_before_the_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`HDS_<NAME>_API_KEY`, else `NAME = "…"` in keys.toml, else none."""
    assert keys.api_key("brave") is None
    write(home, f'brave = "{PLAIN}"\n')
    found = keys.api_key("brave")
    assert found is not None
    assert found.reveal() == PLAIN
    assert keys.api_key("kagi") is None
    monkeypatch.setenv("HDS_BRAVE_API_KEY", " other-key-1\n")
    found = keys.api_key("brave")
    assert found is not None
    assert found.reveal() == "other-key-1"
    assert keys.variable("my-source.2") == "HDS_MY_SOURCE_2_API_KEY"


def test_the_file_lies_beside_the_settings(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when `HDS_CONFIG` names another place."""
    assert keys.keys_file() == home / "config" / "keys.toml"
    monkeypatch.setenv("HDS_CONFIG", str(tmp_path / "else.toml"))
    assert keys.keys_file() == tmp_path / "keys.toml"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o601])
def test_a_file_that_others_may_read_is_refused(mode: int, home: Path) -> None:
    """R10.4: with what to type about it; a key in the environment is not affected."""
    path = write(home, f'brave = "{PLAIN}"\n', mode)
    with pytest.raises(ConfigError) as caught:
        keys.api_key("brave")
    assert caught.value.hint == f"chmod 600 {path}"


@pytest.mark.parametrize(
    "text", [f'brave = "{PLAIN}', f"brave = {PLAIN}", 'brave = ["x"]', "[brave]\nkey = 1", "\udcff"]
)
def test_a_broken_file_is_an_error_without_its_contents(text: str, home: Path) -> None:
    """What cannot be read is named; what stands in it is not."""
    path = write(home, "")
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigError) as caught:
        keys.api_key("brave")
    assert "keys.toml" in caught.value.message
    assert "CANARY" not in f"{caught.value} {caught.value.__cause__} {caught.value.__context__} {caught.value.hint}"


@pytest.mark.parametrize("value", ["two words", "näh-0123456", "a\x00b", "a\nb"])
def test_a_key_that_no_header_can_carry_is_refused_unseen(value: str, home: Path) -> None:
    """It would fail later, with a message of the HTTP library."""
    write(home, f"brave = {json.dumps(value)}\n")
    with pytest.raises(ConfigError) as caught:
        keys.api_key("brave")
    assert value not in caught.value.message


@pytest.mark.parametrize("in_file", [False, True])
def test_a_known_key_is_found_in_every_form(in_file: bool, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is, quoted for URLs, as JSON, as Python text, hexadecimal, base64 with and without padding."""
    if in_file:
        write(home, f"brave = {json.dumps(KEY)}\n")
    else:
        monkeypatch.setenv("HDS_BRAVE_API_KEY", KEY)
    data = KEY.encode()
    forms = [
        KEY, quote(KEY), quote(KEY, safe=""), quote_plus(KEY), json.dumps(KEY), repr(KEY), data.hex(),
        base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode().rstrip("="),
    ]  # fmt: skip
    for form in forms:
        said = keys.redact(f"before {form} after")
        assert "CANARY" not in said
        assert form not in said
        assert said.startswith("before ")
        assert said.endswith(" after")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("GET https://x/?q=a&api_key=abc&n=3", "GET https://x/?q=a&api_key=***&n=3"),
        ("https://x/?KEY=abc#top", "https://x/?KEY=***#top"),
        ("https://x/?access_token=a.b-c&x=1", "https://x/?access_token=***&x=1"),
        ("client_secret=abc", "client_secret=***"),
        ("proxy http://me:sesame@h.example:3128/ is down", "proxy http://me:***@h.example:3128/ is down"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ("{'authorization': 'Bot abc'}", "{'authorization': 'Bot ***'}"),
        ("X-Subscription-Token: abc", "X-Subscription-Token: ***"),
        ('{"x-api-key": "abc", "n": 1}', '{"x-api-key": "***", "n": 1}'),
        ("hint: export HDS_BRAVE_API_KEY=…   or", "hint: export HDS_BRAVE_API_KEY=…   or"),
        ("no answer from host: timeout", "no answer from host: timeout"),
        ("unknown setting 'key' in config.toml", "unknown setting 'key' in config.toml"),
        ("https://x/?q=monkeys&page=2", "https://x/?q=monkeys&page=2"),
    ],
)
def test_what_is_named_like_a_key_is_hidden(text: str, said: str, home: Path) -> None:
    """Parameters and headers of keys that are not known here; ordinary words stay."""
    assert keys.redact(text) == said


def test_an_ordinary_word_is_not_hidden(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Marginalia's shared key is the word `public`."""
    monkeypatch.setenv("HDS_MARGINALIA_API_KEY", "public")
    assert keys.redact("a public page") == "a public page"


@pytest.mark.parametrize("args", [["search"], ["--debug", "search"], ["search", "--json"], ["ask", "-q"]])
def test_no_exit_of_the_command_shows_a_key(hds: Hds, args: list[str]) -> None:
    """The key in the environment, and where the user put it by mistake: as a source, as an option."""
    env = {"HDS_BRAVE_API_KEY": PLAIN}
    for more in (["-s", PLAIN, "q"], [f"--{PLAIN}", "q"]):
        done = hds(*args, *more, env=env)
        assert done.returncode == 2
        assert "CANARY" not in done.stdout + done.stderr
        assert "***" in done.stdout + done.stderr


def test_a_trace_of_a_bug_shows_no_key(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --debug the whole trace is printed, redacted; without, one line."""
    from hds_cli import cli

    monkeypatch.setenv("HDS_BRAVE_API_KEY", PLAIN)

    def work(settings: object) -> None:
        raise RuntimeError(f"sent {PLAIN}")

    monkeypatch.setattr(config, "load", work)
    for args in (["--debug", "search", "q"], ["search", "q"]):
        assert cli.run(args) == 1
        captured = capsys.readouterr()
        assert "CANARY" not in captured.out + captured.err
        assert "sent ***" in captured.err
        assert ("Traceback" in captured.err) == ("--debug" in args)


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ('[fetch]\nproxy = "http://me:sesame@proxy.example:3128"', True),
        ('[sources.brave]\nurl = "https://x.example/s?api_key=abc"', True),
        ('fetch.proxy = "http://me:sesame@proxy.example"', True),
        ('[fetch]\nproxy = "http://proxy.example:3128"', False),
        ('# proxy = "http://me:sesame@proxy.example"\ntop_k = 3', False),
        ("max_tokens = 4096", False),
        ('[sources.brave]\nurl = "http://localhost:8080/search?q=keys"', False),
    ],
)
def test_a_settings_file_with_a_key_that_others_may_read_is_warned_of(
    text: str, held: bool, hds: Hds, home: Path
) -> None:
    """R10.4: one line with what to type, for mode & 077 and something to hide; the command goes on."""
    path = home / "config" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(text + "\n")
    for mode in (0o644, 0o640, 0o600):
        path.chmod(mode)
        done = hds("cache", "info")
        warning = f"hds: warning: {path} holds a key or a password and others may read it; chmod 600 {path}\n"
        assert (done.returncode, done.stderr) == (0, warning if held and mode != 0o600 else ""), oct(mode)
        assert "sesame" not in done.stderr


def settings_of(home: Path, text: str, **environ: str) -> config.Settings:
    path = home / "config" / "config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return config.load(environ=environ)


def test_a_source_has_settings_of_its_own(home: Path) -> None:
    """The table `[sources.NAME]`; the environment comes before it; each value has its origin."""
    made = settings_of(
        home,
        '[sources.brave]\nurl = "http://localhost:1/s"\nlanguage = "de"\nevery = 0.5\n[sources.searxng]\nurl = "http://b"',
        HDS_BRAVE_URL="http://localhost:2/s", HDS_SEARXNG_URL="", HDS_WIKIPEDIA_LANGUAGE="fr", HDS_BRAVE_API_KEY=PLAIN,
    )  # fmt: skip
    assert made.source_settings("brave") == config.SourceSettings("http://localhost:2/s", "de", 0.5)
    assert made.source_settings("wikipedia").language == "fr"
    assert made.source_settings("kagi") == config.SourceSettings()
    assert made.searxng_url == "http://b"
    assert made.origins["sources.brave.url"] == "HDS_BRAVE_URL"
    assert "CANARY" not in repr(made)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[sources.brave]\nurll = "http://x"', "did you mean 'sources.brave.url'"),
        ('[sources]\nbrave = "x"', "unknown setting 'sources.brave'"),
        ('[sources.brave]\nurl = "ftp://x"', "http:// or https://"),
        ("[sources.brave]\nurl = 5", "must be text"),
        ("[sources.brave]\nevery = -1", "at least 0"),
        ("[sources.brave]\nevery = nan", "at least 0"),
        ('[sources.brave]\napi_key = "x"', "unknown setting"),
    ],
)
def test_a_wrong_setting_of_a_source_is_said(text: str, words: str, home: Path) -> None:
    """With the setting that was probably meant."""
    with pytest.raises(ConfigError) as caught:
        settings_of(home, text)
    assert words in f"{caught.value.message} {caught.value.hint}"


def test_a_table_for_a_source_that_is_nearly_another_is_said(hds: Hds, home: Path) -> None:
    """A table that nothing reads would be silence; one of a plugin that is away is no mistake."""
    (home / "config").mkdir(parents=True)
    (home / "config" / "config.toml").write_text('[sources.wikipeda]\nlanguage = "de"\n')
    done = hds("search", "q")
    assert done.returncode == 2
    assert "sources.wikipedia" in done.stderr
    (home / "config" / "config.toml").write_text('[sources.quite-another]\nlanguage = "de"\n')
    assert hds("search", "--offline", "q").returncode != 2
