"""robots.txt: RFC 9309, and what google/robotstxt checks in its own test (figure F23).

The behaviours are those of its 21 tests, the files and addresses ours. Where we differ, on purpose:

* Escapes of letters, digits and `-._~` are decoded on both sides before they are compared, as RFC 9309 2.2.2 asks; the
  reference compares strings, so that `/%70rivate` gets past `Disallow: /private` (one of its checks turns round).
* Escapes in the requested path count in either case; there `/caf%c3%a9` gets past `Disallow: /café`.
* A line is cut after 16,663 characters; there after as many bytes.
* `Crawl-delay` is read (at most ten seconds); there it is an unknown line.
* `/robots.txt` itself may always be fetched (RFC 9309 2.2.2); the reference leaves that to the caller.
* What has no scheme (`example.com/a`, `//host/a`) is no address here and is refused before robots.txt is asked.
* Line numbers and sitemaps are not reported: nothing here reads them; that such lines change no rule is checked.
"""

from __future__ import annotations

import time

import pytest

from hds_cli.fetch.robots import Robots, path_of

# (robots.txt, agent, path, allowed): the rules of RFC 9309, and what google/robotstxt tolerates.
CASES: list[tuple[str, str, str, bool]] = [
    ("", "hds", "/x", True),
    ("user-agent: hds\ndisallow: /\n", "hds", "/x/y", False),
    ("foo: hds\nbar: /\n", "hds", "/x", True),
    ("user-agent hds\ndisallow /\n", "hds", "/x", False),
    ("USER-AGENT: hds\nALLOW: /x/\nDISALLOW: /\n", "hds", "/x/y", True),
    ("USER-AGENT: hds\nALLOW: /x/\nDISALLOW: /\n", "hds", "/a/b", False),
    ("uSeR-aGeNt: HDS\naLlOw: /x/\ndIsAlLoW: /\n", "hds", "/a/b", False),
    # groups
    ("allow: /foo/\n\nuser-agent: hds\ndisallow: /\n", "hds", "/foo/", False),
    ("user-agent: a\ndisallow: /\nuser-agent: b\n\nuser-agent: hds\nallow: /z/\ndisallow: /\n", "hds", "/z/d", True),
    ("user-agent: a\ndisallow: /\nuser-agent: b\n\nuser-agent: hds\nallow: /z/\ndisallow: /\n", "b", "/q", False),
    ("user-agent: hds\ndisallow: /a\nuser-agent: x\ndisallow: /\nuser-agent: hds\ndisallow: /b\n", "hds", "/a", False),
    ("user-agent: hds\ndisallow: /a\nuser-agent: x\ndisallow: /\nuser-agent: hds\ndisallow: /b\n", "hds", "/b", False),
    ("user-agent: hds\ndisallow: /a\nuser-agent: x\ndisallow: /\nuser-agent: hds\ndisallow: /b\n", "hds", "/c", True),
    ("user-agent: *\nallow: /\nuser-agent: hds\ndisallow: /\n", "hds", "/x", False),
    ("user-agent: *\nallow: /\nuser-agent: hds\ndisallow: /\n", "other", "/x", True),
    ("user-agent: hds\ndisallow: /\nuser-agent: *\nallow: /\n", "other", "/x", True),
    ("user-agent: foo\ndisallow: /\n", "hds", "/x", True),
    ("user-agent: *\ndisallow: /x/\nuser-agent: hds\ndisallow: /y/\n", "hds", "/x/p", True),
    ("user-agent: *\ndisallow: /x/\nuser-agent: hds\ndisallow: /y/\n", "hds", "/y/p", False),
    ("user-agent: *\ndisallow: /x\nuser-agent: hds\n", "hds", "/x", True),
    ("user-agent: * bots\ndisallow: /x\n", "hds", "/x", False),
    ("user-agent: *\nsitemap: /s\nuser-agent: hds\ndisallow: /x\n", "hds", "/x", False),
    ("user-agent: hds\nsitemap: /s\nfoo: bar\nuser-agent: other\ndisallow: /x\n", "hds", "/x", False),
    ("user-agent: hds\ncrawl-delay: 3\nuser-agent: other\ndisallow: /x\n", "hds", "/x", False),
    # the name of the agent
    ("user-agent: hds/2.0\ndisallow: /\n", "hds", "/x", False),
    ("user-agent: hds bot\ndisallow: /\n", "hds", "/x", False),
    ("user-agent: hdsx\ndisallow: /\n", "hds", "/x", True),
    ("user-agent: hd\ndisallow: /\n", "hds", "/x", True),
    ("user-agent: x-hds\ndisallow: /\n", "hds", "/x", True),
    # the longest match, ties to allow
    ("user-agent: *\ndisallow: /x/page.html\nallow: /x/\n", "hds", "/x/page.html", False),
    ("user-agent: *\nallow: /x/page.html\ndisallow: /x/\n", "hds", "/x/page.html", True),
    ("user-agent: *\nallow: /x/page.html\ndisallow: /x/\n", "hds", "/x/", False),
    ("user-agent: *\ndisallow:\nallow:\n", "hds", "/x", True),
    ("user-agent: *\ndisallow: /\nallow: /\n", "hds", "/x", True),
    ("user-agent: *\ndisallow: /x\nallow: /x/\n", "hds", "/x", False),
    ("user-agent: *\ndisallow: /x\nallow: /x/\n", "hds", "/x/", True),
    ("user-agent: *\nallow: /page\ndisallow: /*.html\n", "hds", "/page.html", False),
    ("user-agent: *\nallow: /page\ndisallow: /*.html\n", "hds", "/page", True),
    ("user-agent: *\nallow: /x/page.\ndisallow: /*.html\n", "hds", "/x/page.html", True),
    ("user-agent: *\nallow: /x/page.\ndisallow: /*.html\n", "hds", "/x/y.html", False),
    ("user-agent: *\ndisallow: /X/\n", "hds", "/x/", True),
    # octets
    ("user-agent: *\ndisallow: /\nallow: /f?q=t&b=http://foo.bar?t&p\n", "hds", "/f?q=t&b=http://foo.bar?t&p", True),
    ("user-agent: *\ndisallow: /\nallow: /foo/ツ\n", "hds", "/foo/%E3%83%84", True),
    ("user-agent: *\ndisallow: /\nallow: /foo/%e3%83%84\n", "hds", "/foo/%E3%83%84", True),
    ("user-agent: *\ndisallow: /\nallow: /foo/%62%61%7A\n", "hds", "/foo/baz", True),
    ("user-agent: *\ndisallow: /\nallow: /foo/%62%61%7A\n", "hds", "/foo/%62%61%7A", True),
    # special characters
    ("user-agent: *\ndisallow: /foo/bar/quz\nallow: /foo/*/qux\n", "hds", "/foo/bar/quz", False),
    ("user-agent: *\ndisallow: /foo/bar/quz\nallow: /foo/*/qux\n", "hds", "/foo/quz", True),
    ("user-agent: *\ndisallow: /foo/bar$\nallow: /foo/bar/qux\n", "hds", "/foo/bar", False),
    ("user-agent: *\ndisallow: /foo/bar$\nallow: /foo/bar/qux\n", "hds", "/foo/bar/qux", True),
    ("user-agent: *\ndisallow: /foo/bar$\nallow: /foo/bar/qux\n", "hds", "/foo/bar/baz", True),
    ("user-agent: *\n# disallow: /\ndisallow: /foo/quz#qux\nallow: /\n", "hds", "/foo/bar", True),
    ("user-agent: *\n# disallow: /\ndisallow: /foo/quz#qux\nallow: /\n", "hds", "/foo/quz", False),
    ("user-agent: *\ndisallow: /*/a*b$\n", "hds", "/x/aXb", False),
    ("user-agent: *\ndisallow: /*/a*b$\n", "hds", "/x/aXbc", True),
    ("user-agent: *\ndisallow: /a$b\n", "hds", "/a$b", False),
    ("user-agent: *\ndisallow: *.pdf\n", "hds", "/x/y.pdf?z", False),
    ("user-agent: *\ndisallow: /**/x\n", "hds", "/a/x", False),
    ("user-agent: *\ndisallow: /$\n", "hds", "/", False),
    ("user-agent: *\ndisallow: /$\n", "hds", "/a", True),
    # index files, line ends, byte order marks, typos
    ("user-agent: *\nallow: /a/index.html\ndisallow: /\n", "hds", "/a/", True),
    ("user-agent: *\nallow: /a/index.html\ndisallow: /\n", "hds", "/a/index.htm", False),
    ("user-agent: *\nallow: /a/index.htm\ndisallow: /\n", "hds", "/a/index.html", True),
    ("user-agent: *\nallow: /a/index.htm\ndisallow: /\n", "hds", "/a/b", False),
    ("user-agent: *\r\ndisallow: /x\r\nallow: /x/y", "hds", "/x/y", True),
    ("user-agent: *\rdisallow: /x\rallow: /x/y", "hds", "/x/z", False),
    ("\ufeffuser-agent: *\ndisallow: /x\n", "hds", "/x", False),
    ("useragent: *\ndissallow: /x\n", "hds", "/x", False),
    ("user agent: *\ndiasllow: /x\n", "hds", "/x", False),
    ("user-agent: *\ndisalow: /x\n", "hds", "/x", False),
    ("user-agent: *\ndisallow: /\n", "hds", "/robots.txt", True),
    ("user-agent: *\ndisallow: /x/" + "a" * 16_649 + "/qux\n", "hds", "/x/" + "a" * 16_649 + "/fux", False),
    ("user-agent: *\ndisallow: /x/" + "a" * 16_649 + "/qux\n", "hds", "/fux", True),
    ("user-agent: *\ndisallow: /\nallow: /fish*.php\n", "hds", "/fishheads/catfish.php?parameters", True),
    ("user-agent: *\ndisallow: /\nallow: /fish*.php\n", "hds", "/Fish.PHP", False),
    ("user-agent: *\ndisallow: /\nallow: /*.php$\n", "hds", "/folder/filename.php", True),
    ("user-agent: *\ndisallow: /\nallow: /*.php$\n", "hds", "/filename.php5", False),
    ("user-agent: *\ndisallow: /\nallow: /*.php$\n", "hds", "/filename?php", False),
    ("user-agent: *\ndisallow: /\nallow: /fish*\n", "hds", "/?id=fish", False),
    ("user-agent: *\ndisallow: /\nallow: /fish/\n", "hds", "/fish", False),
    ("user-agent: *\ndisallow: /\nallow: /$\n", "hds", "/page.html", False),
    ("user-agent: *\ndisallow: /" + "x" * 20_000 + "\n", "hds", "/x", True),
]
WIDE = 2083 * 8 - 1 - len("disallow: ")  # how much of a pattern fits into the longest line
GROUPS = """allow: /orphan/

user-agent: Owl
disallow: /
allow: /nest/
user-agent: Fox
disallow: /
allow: /den/


allow: /wood/
user-agent: Elk

user-agent: Owl
allow: /tree/
disallow: /
"""
ONE = "user-agent: hds\n"
ALL = "user-agent: *\n"
SHUT = ALL + "disallow: /\n"

# (robots.txt, agent, paths that are allowed, paths that are not)
FILES: list[tuple[str, str, list[str], list[str]]] = [
    # nothing to obey, nobody to obey
    ("", "hds", ["", "/", "/x"], []),
    ("", "", ["", "/x"], []),
    (ONE + "disallow: /\n", "", ["", "/x"], []),
    (ONE + "disallow: /\n", "hds", [], ["", "/", "/x"]),
    ("\n\n# nothing but words\n", "hds", ["/x"], []),
    # groups: rules before the first belong to nobody; one name in several groups has the rules of all of them
    (GROUPS, "owl", ["/nest/a", "/tree/a"], ["/den/a", "/orphan/a", "/wood/a"]),
    (GROUPS, "fox", ["/den/a", "/wood/a"], ["/tree/a", "/nest/a", "/orphan/a"]),
    (GROUPS, "elk", ["/tree/a"], ["/orphan/a", "/nest/a", "/x"]),
    (GROUPS, "cat", ["/orphan/a", "/x"], []),
    (ALL + "allow: /\nuser-agent: Owl\ndisallow: /\n", "owl", [], ["/x/y"]),
    (ALL + "allow: /\nuser-agent: Owl\ndisallow: /\n", "fox", ["/x/y"], []),
    ("user-agent: Owl\nallow: /\nuser-agent: Fox\ndisallow: /\n", "cat", ["/x/y"], []),
    (ALL + "disallow: /a/\nuser-agent: Owl\ndisallow: /b/\n", "owl", ["/a/page"], ["/b/page"]),
    # the name up to the first character no name has; its case does not matter
    ("User-Agent: SEA LION\nAllow: /a/\nDisallow: /\n", "sea", ["/a/b"], ["/b/a"]),
    ("User-Agent: sea lion\nAllow: /a/\nDisallow: /\n", "SEA", ["/a/b"], ["/b/a"]),
    ("User-Agent: SeA lIoN\nAllow: /a/\nDisallow: /\n", "Sea", ["/a/b"], ["/b/a"]),
    (SHUT + "User-Agent: Sea Lion\nAllow: /a/\nDisallow: /\n", "sea", ["/a/b"], ["/b"]),
    (SHUT + "User-Agent: Sea Lion\nAllow: /a/\nDisallow: /\n", "sea lion", [], ["/a/b"]),
    ("user-agent: sea_lion-x/2.1\ndisallow: /\n", "sea_lion-x", [], ["/a"]),
    ("user-agent: sea*\ndisallow: /\n", "sea", [], ["/a"]),
    ("user-agent: \u30c4\ndisallow: /\n", "hds", ["/a"], []),
    ("user-agent:\ndisallow: /\n", "hds", ["/a"], []),
    # the longest pattern decides, of two alike the one that allows
    (ONE + "disallow: /a/b.html\nallow: /a/b.html\n", "hds", ["/a/b.html"], []),
    (ONE + "allow: /a/b.html\ndisallow: /a/b.html\n", "hds", ["/a/b.html"], []),
    (ONE + "allow: /p\ndisallow: /\n", "hds", ["/page"], ["/other"]),
    (ONE + "allow: /box\ndisallow: /box\n", "hds", ["/box/page"], []),
    (ONE + "allow: /page\ndisallow: /*.htm\n", "hds", ["/page"], ["/page.htm"]),
    (ONE + "allow: /$\ndisallow: /\n", "hds", ["/"], ["/page.htm"]),
    # octets
    (SHUT + "allow: /a/b?c=d&e=http://x.example?f&g\n", "hds", ["/a/b?c=d&e=http://x.example?f&g"], ["/a/b?c=d"]),
    (SHUT + "allow: /a/\u30c4\n", "hds", ["/a/%E3%83%84", "/a/%e3%83%84"], ["/a/\u30c4"]),
    (SHUT + "allow: /a/%E3%83%84\n", "hds", ["/a/%E3%83%84"], ["/a/\u30c4"]),
    (SHUT + "allow: /a/%63%61%74\n", "hds", ["/a/%63%61%74", "/a/cat", "/a/c%61t"], ["/a/dog"]),
    (ALL + "disallow: /private\n", "hds", ["/public"], ["/%70rivate", "/privat%65", "/%70%72%69%76%61%74%65/x"]),
    (ALL + "disallow: /caf\u00e9\n", "hds", ["/cafe"], ["/caf%C3%A9", "/caf%c3%a9/menu"]),
    (ALL + "disallow: /a%2fb\n", "hds", ["/a/b"], ["/a%2Fb", "/a%2fb"]),
    (ALL + "disallow: /a%zz\n", "hds", ["/a"], ["/a%zz"]),
    # special characters
    (ONE + "disallow: /a/b/end\nallow: /a/*/far\n", "hds", ["/a/end", "/a//end", "/a/c/end"], ["/a/b/end"]),
    (ONE + "disallow: /a/b$\nallow: /a/b/far\n", "hds", ["/a/b/far", "/a/b/", "/a/b/c"], ["/a/b"]),
    (ONE + "# disallow: /\ndisallow: /a/c#d\nallow: /\n", "hds", ["/a/b"], ["/a/c"]),
    # index.html, and only that, stands for its folder where it is allowed
    (SHUT + "allow: /in/index.html\n", "hds", ["/in/", "/in/index.html"], ["/in/index.htm", "/other"]),
    (ALL + "disallow: /in/index.html\n", "hds", ["/in/"], ["/in/index.html"]),
    # long lines are cut, not dropped
    (ONE + "disallow: /" + "a" * WIDE + "/far\n", "hds", ["/near"], ["/" + "a" * (WIDE - 1) + "/near"]),
    (SHUT + "allow: /" + "b" * WIDE + "/far\n", "hds", ["/" + "b" * WIDE + "/far", "/" + "b" * WIDE + "/fur"], ["/", "/b"]),
    # Google's documentation: what a path matches
    (SHUT + "allow: /cod\n", "hds", ["/cod", "/cod.html", "/cod/a.html", "/codfish", "/codfish/a.html", "/cod.html?a=b"],
     ["/bar", "/Cod.asp", "/bigcod", "/?a=cod"]),
    (SHUT + "allow: /cod*\n", "hds", ["/cod", "/cod.html", "/cod/a.html", "/codfish", "/codfish/a.html", "/cod.html?a=b"],
     ["/bar", "/Cod.bar", "/bigcod", "/?a=cod"]),
    (SHUT + "allow: /cod/\n", "hds", ["/cod/", "/cod/a", "/cod/?a", "/cod/a.html", "/cod/?a=b"],
     ["/bar", "/cod", "/cod.html", "/Cod/A.html"]),
    (SHUT + "allow: /*.jsp\n", "hds",
     ["/a.jsp", "/b/a.jsp", "/b/a.jsp?c", "//b/a.jsp.d.html", "/a.jsp/", "/index?f=a.jsp/"],
     ["/bar", "/jsp/", "/index?jsp", "/a.JSP"]),
    (SHUT + "allow: /*.jsp$\n", "hds", ["/a.jsp", "/b/a.jsp"],
     ["/bar", "/a.jsp?c", "/a.jsp/", "/a.jsp5", "/jsp/", "/a?jsp", "/bbbjspbbb", "//a.JSP"]),
    (SHUT + "allow: /cod*.jsp\n", "hds", ["/cod.jsp", "/codfish/catfish.jsp?a"], ["/bar", "/Cod.JSP"]),
    # ends of lines: each system's, mixed, none at the end
    *(("User-Agent: Owl" + end + "Allow: /a" + end + "User-Agent: hds" + end * 3 + "Disallow: /" + last, "hds", [], ["/a", "/b"])
      for end, last in (("\n", "\n"), ("\r\n", "\r\n"), ("\r", "\r"), ("\n", ""), ("\r\n", "\n"))),
    # byte order marks: whole or begun at the very start; anywhere else the line is not one of ours
    *((mark.decode("utf-8", "replace") + ALL + "disallow: /\n", "hds", [], ["/a"]) for mark in (b"\xef\xbb\xbf", b"\xef\xbb", b"\xef")),
    (b"\xef\x11\xbf".decode("utf-8", "replace") + ALL + "disallow: /\n", "hds", ["/a"], []),
    (ALL + "disallow: /a\n\ufeffdisallow: /b\n", "hds", ["/b"], ["/a"]),
    # other lines change no rule and end no group
    ("sitemap: http://x.example/s.xml\n" + SHUT, "hds", [], ["/a"]),
    (ALL + "sitemap: http://x.example/s.xml\ndisallow: /a\n", "hds", ["/b"], ["/a"]),
    (ALL + "disallow: /a\nsitemap: http://x.example/s.xml\ndisallow: /b\n", "hds", ["/c"], ["/a", "/b"]),
    # a colon that was forgotten, where what was meant is plain
    ("user-agent hds\ndisallow /a\n", "hds", ["/b"], ["/a"]),
    ("user-agent hds\ndisallow /a or so\n", "hds", ["/a", "/b"], []),
]  # fmt: skip
CASES += [
    (text, agent, path, allowed)
    for text, agent, good, bad in FILES
    for allowed, paths in ((True, good), (False, bad))
    for path in paths
]

URLS = [
    ("http://www.example.com", "/"), ("http://www.example.com/", "/"), ("http://www.example.com/a", "/a"),
    ("http://www.example.com/a/", "/a/"), ("http://www.example.com/a/b?c=http://d.e/", "/a/b?c=http://d.e/"),
    ("http://www.example.com/a/b?c=d&e=f#part", "/a/b?c=d&e=f"), ("http://www.example.com?a", "/?a"),
    ("http://www.example.com/a;b#c", "/a;b"), ("https://example.com:8080/a", "/a"), ("http://example.com//b/c", "//b/c"),
]  # fmt: skip


@pytest.mark.parametrize(("url", "path"), URLS)
def test_what_the_rules_are_about_is_path_and_query(url: str, path: str) -> None:
    """F23: an address without a path is the root; parameters belong to the path, the fragment to nobody."""
    assert path_of(url) == path


def test_there_are_as_many_checks_as_the_reference_has() -> None:
    """F23: 180."""
    assert len(set(CASES)) + len(URLS) >= 180


def test_the_checks_see_a_parser_that_obeys_nothing_or_everything() -> None:
    """F23 without the rules: a third of the checks fail either way, so none of them is for show."""
    for answer in (True, False):
        assert sum(allowed is not answer for *_, allowed in CASES) > len(CASES) // 3

    class Prefixes(Robots):
        """First match, no wildcards: what a script of ten lines does."""

        def allowed(self, path: str) -> bool:
            return next((allow for pattern, allow in self._rules[self._named] if path.startswith(pattern)), True)

    assert sum(Prefixes(text, agent).allowed(path) is not allowed for text, agent, path, allowed in CASES) > 40


@pytest.mark.parametrize("case", CASES)
def test_robots_is_read_as_rfc_9309_says(case: tuple[str, str, str, bool]) -> None:
    """F23: groups, longest match, wildcards, octets and the tolerances of the reference parser."""
    text, agent, path, allowed = case
    assert Robots(text, agent).allowed(path) is allowed


def test_no_robots_pattern_is_slow() -> None:
    """Forty wildcards against a long path, and half a megabyte of rules, are read in well under a second."""
    start = time.process_time()
    assert Robots("user-agent: *\ndisallow: /" + "*a" * 40 + "$\n").allowed("/" + "a" * 2000 + "b")
    Robots("user-agent: *\n" + "disallow: /x*y\n" * 100_000).allowed("/x" + "z" * 500)
    assert time.process_time() - start < 2.0


def test_crawl_delay_is_at_most_ten_seconds_and_a_number() -> None:
    """A delay of a day, or of nan, is not obeyed."""
    assert Robots("user-agent: *\ncrawl-delay: 2.5\n").delay == 2.5
    assert Robots("user-agent: *\ncrawl-delay: 86400\n").delay == 10.0
    assert Robots("user-agent: *\ncrawl-delay: nan\n").delay == 0.0
    assert Robots("user-agent: *\ncrawl-delay: 5\nuser-agent: hds\ndisallow: /x\n").delay == 0.0
