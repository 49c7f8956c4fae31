"""HTTP as it is met: cookies in a chain, signposts, odd codings and labels, files by their names, certificates of one's own."""

from __future__ import annotations

import datetime
import gzip
import http.server
import io
import ipaddress
import ssl
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from hds_cli.config import Settings
from hds_cli.errors import ConfigError
from hds_cli.fetch.body import Body, Refused
from hds_cli.fetch.client import Fetcher
from hds_cli.fetch.cookies import Jar, from_file
from hds_cli.fetch.kinds import kind_of, one_type
from hds_cli.fetch.refresh import leads_to
from hds_cli.types import Page
from tests.conftest import Hds
from tests.fetch.conftest import run
from tests.fetch.web import PAGE, Request, Web, answer

Make = Callable[..., Settings]


def one(made: Settings, url: str, typed: bool = True) -> Page:
    async def work() -> Page:
        async with Fetcher(made) as fetcher:
            return await fetcher.fetch(url, typed=typed)

    return run(work())


@pytest.fixture
def made(server: Web, settings: Make) -> Settings:
    return settings(fetch_allow=(server.host,), fetch_delay=0.0)


# -- cookies --------------------------------------------------------------------
def test_a_cookie_of_a_redirect_opens_the_page_and_is_forgotten(server: Web, made: Settings) -> None:
    """Sent on in the chain that set it; the next page of that host is asked for without it."""

    def page(request: Request) -> None:
        seen = "seen=1" in request.headers.get("cookie", "")
        request.send(
            answer()
            if seen
            else answer(b"", "302 Found", "text/html", f"Location: {request.path}", "Set-Cookie: seen=1; Path=/")
        )

    server.routes["/a"] = page
    server.routes["/b"] = answer()
    assert one(made, server.url + "/a").status == "fetched"
    assert one(made, server.url + "/b").status == "fetched"
    assert [headers.get("cookie") for path, headers in server.seen if path == "/b"] == [None]


@pytest.mark.parametrize(
    ("line", "url", "sent"),
    [
        ("a=1", "https://x.example/p/q", True), ("a=1", "https://www.x.example/p/q", False), ("a=1; Domain=x.example", "https://www.x.example/", False),
        ("a=1; Domain=x.example; Path=/", "https://www.x.example/", True), ("a=1; Domain=example; Path=/", "https://x.example/", False),
        ("a=1; Domain=y.example; Path=/", "https://y.example/", False), ("a=1; Secure; Path=/", "http://x.example/", False),
        ("a=1; Path=/p", "https://x.example/pq", False), ("a=1; Path=/p", "https://x.example/p/q", True),
        ("a=1; Path=/; Max-Age=0", "https://x.example/", False), ("a=1; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "https://x.example/", False),
        ("a=b c; Path=/", "https://x.example/", False), ("a\x00=1; Path=/", "https://x.example/", False), ("=1", "https://x.example/p/q", False),
        ("a=" + "x" * 5000, "https://x.example/p/q", False),
    ],
)  # fmt: skip
def test_a_cookie_goes_where_it_belongs(line: str, url: str, sent: bool) -> None:
    """RFC 6265: host, domain, path, secure, expiry; nothing that would break a header."""
    jar = Jar()
    jar.take("https://x.example/p/page", [line])
    assert bool(jar.header(url)) is sent


def test_the_users_own_cookies_are_bound_to_their_host(server: Web, settings: Make, tmp_path: Path) -> None:
    """A file in Netscape's format: sent to its host, kept from others, in no file that hds writes."""
    file = tmp_path / "cookies.txt"
    file.write_text(
        "# Netscape HTTP Cookie File\n#HttpOnly_127.0.0.1\tFALSE\t/\tFALSE\t0\tsession\ts3cr3tvalue\n"
        "other.example\tTRUE\t/\tFALSE\t0\tother\tx\n127.0.0.1\tFALSE\t/\tFALSE\t1\told\tgone\n"
    )
    file.chmod(0o600)
    server.routes["/a"] = answer()
    made = settings(fetch_allow=(server.host,), fetch_cookies=str(file))
    assert one(made, server.url + "/a").status == "fetched"
    assert [headers.get("cookie") for path, headers in server.seen if path == "/a"] == ["session=s3cr3tvalue"]
    kept = [path for path in Path(made.cache_dir or "").rglob("*") if path.is_file()]
    assert kept
    assert not [path for path in kept if b"s3cr3tvalue" in path.read_bytes()]


def test_a_cookie_file_that_is_none_is_said_without_its_values(tmp_path: Path) -> None:
    """Readable by others, or of another format: an error that quotes nothing of it."""
    file = tmp_path / "cookies.txt"
    file.write_text("session=s3cr3tvalue\n")
    file.chmod(0o600)
    with pytest.raises(ConfigError) as told:
        from_file(file)
    assert "s3cr3tvalue" not in str(told.value) + str(told.value.hint)
    file.chmod(0o644)
    with pytest.raises(ConfigError, match="others may read it"):
        from_file(file)


# -- signposts ---------------------------------------------------------------------
def signpost(content: str, body: str = "<p>Moved.</p>") -> bytes:
    return answer(
        f'<html><head><title>Go</title><meta http-equiv="refresh" content="{content}"></head><body>{body}</body></html>'.encode()
    )


@pytest.mark.parametrize("content", ["0; url=/b", "0;URL='/b'", "1, /b", "0 url=b", "5; url=/b", "0; url=&#47;b"])
def test_a_page_that_leads_on_is_a_redirect(server: Web, made: Settings, content: str) -> None:
    """The page it leads to, under its address."""
    server.routes |= {"/a": signpost(content), "/b": answer()}
    page = one(made, server.url + "/a")
    assert (page.status, page.final_url) == ("fetched", server.url + "/b")
    assert "ordinary page" in page.text


@pytest.mark.parametrize(
    "page",
    [
        '<meta http-equiv="refresh" content="300">', '<meta http-equiv="refresh" content="600; url=/b">',
        '<noscript><meta http-equiv="refresh" content="0; url=/b"></noscript>', '<!-- <meta http-equiv="refresh" content="0; url=/b"> -->',
        '<script>"<meta http-equiv=refresh content=\'0; url=/b\'>"</script>', '<meta name="refresh" content="0; url=/b">',
        '<meta http-equiv="refresh" content="5; url=/b">' + "<p>a long text of its own</p>" * 200,
    ],
)  # fmt: skip
def test_a_page_of_its_own_is_no_signpost(page: str) -> None:
    """One that is shown again later, one for browsers without scripts, one with a text and time to read it."""
    assert leads_to(page.encode()) is None


def test_a_signpost_passes_the_guard_and_is_counted(server: Web, settings: Make) -> None:
    """Into a network that is not public: blocked; in a circle: too many; robots.txt is asked where it leads."""
    made = settings(fetch_allow=(server.host,), fetch_delay=0.0)
    server.routes |= {
        "/in": signpost("0; url=http://10.0.0.1/"),
        "/1": signpost("0; url=/2"),
        "/2": signpost("0; url=/1"),
    }
    assert (one(made, server.url + "/in").status, one(made, server.url + "/in").reason) == (
        "blocked",
        "private_address",
    )
    assert one(made, server.url + "/1").reason == "too_many_redirects"
    server.routes["/robots.txt"] = answer(b"User-agent: *\nDisallow: /shut\n", kind="text/plain")
    server.routes |= {"/s": signpost("0; url=/shut/x"), "/shut/x": answer()}
    assert one(made, server.url + "/s", typed=False).reason == "robots"
    assert "/shut/x" not in server.paths()


# -- codings, labels, statuses --------------------------------------------------
@pytest.mark.parametrize(
    "coding", ["UTF-8", "utf8", "none", "ISO-8859-1", "identity", "identity, utf-8", "binary", "8bit"]
)
def test_a_charset_is_no_coding(server: Web, made: Settings, coding: str) -> None:
    """A common slip of servers: the bytes are plain."""
    server.routes["/a"] = answer(PAGE, "200 OK", "text/html", f"Content-Encoding: {coding}")
    assert one(made, server.url + "/a").status == "fetched"


def test_codings_that_were_not_asked_for_are_refused() -> None:
    """Several, or one that cannot be unpacked within bounds."""
    for coding in ("br", "zstd", "gzip, gzip", "compress"):
        with pytest.raises(Refused):
            Body(coding)


@pytest.mark.parametrize("rest", [b"\0\0\0", b"garbage", b"\x1f\x8bgarbage", b"\x1f", b"\r\n"])
@pytest.mark.parametrize("step", [1, 7, 1 << 16])
def test_bytes_after_a_gzip_stream_mean_nothing(rest: bytes, step: int) -> None:
    """What is whole is read, however the pieces come; another member is more of it."""
    data = gzip.compress(b"text " * 1000) + rest
    body = Body("gzip")
    for at in range(0, len(data), step):
        body.feed(data[at : at + step])
    assert body.done() == b"text " * 1000


def test_a_member_that_breaks_off_is_no_end() -> None:
    """A second member that began to say something must say it all."""
    body = Body("gzip")
    body.feed(gzip.compress(b"one") + gzip.compress(bytes(range(256)) * 900)[:-60])
    with pytest.raises(Refused):
        body.done()


@pytest.mark.parametrize(("status", "more"), [("203 Non-Authoritative Information", ""), ("201 Created", ""), ("202 Accepted", ""), ("226 IM Used", ""),
                                              ("206 Partial Content", f"Content-Range: bytes 0-{len(PAGE) - 1}/{len(PAGE)}")])  # fmt: skip
def test_a_success_with_a_whole_body_is_a_page(server: Web, made: Settings, status: str, more: str) -> None:
    """As 200; a range is one when it is all."""
    server.routes["/a"] = answer(PAGE, status, "text/html", *([more] if more else []))
    assert one(made, server.url + "/a").status == "fetched"


@pytest.mark.parametrize(
    ("status", "more"),
    [("206 Partial Content", "Content-Range: bytes 0-9/500"), ("404 Not Found", ""), ("207 Multi-Status", "")],
)
def test_what_is_not_whole_is_no_page(server: Web, made: Settings, status: str, more: str) -> None:
    """A part, an error, an answer for programs."""
    server.routes["/a"] = answer(PAGE, status, "text/html", *([more] if more else []))
    assert one(made, server.url + "/a").reason == f"http_{status[:3]}"


def test_of_two_content_types_the_last_that_is_one_counts() -> None:
    """Fetch, 3.5; a charset that an equal one named stays."""
    assert one_type(["text/plain", "text/html; charset=koi8-r"]) == "text/html; charset=koi8-r"
    assert one_type(["text/html; charset=koi8-r", "text/html"]) == "text/html; charset=koi8-r"
    assert one_type(["text/html", "none"]) == "text/html"
    assert one_type([]) == ""


def test_two_content_types_are_a_page(server: Web, made: Settings) -> None:
    """As a proxy and its server send them."""
    server.routes["/a"] = answer(PAGE, "200 OK", "text/html", "Content-Type: text/html; charset=utf-8")
    assert one(made, server.url + "/a").status == "fetched"


# -- files -----------------------------------------------------------------------------
def book() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("META-INF/container.xml", '<container><rootfile full-path="b.opf"/></container>')
        archive.writestr("b.opf", '<package><item id="a" href="a.html"/><itemref idref="a"/></package>')
        archive.writestr("a.html", "<p>The lamp of Ohrid is lit at six.</p>")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("path", "label", "more"),
    [("/b.epub", "application/epub+zip", ""), ("/b.epub", "application/octet-stream", ""), ("/get?id=1", "application/epub+zip", ""),
     ("/get?id=2", "application/octet-stream", 'Content-Disposition: attachment; filename="b.epub"'), ("/b.docx", "application/zip", "")],
)  # fmt: skip
def test_a_file_is_read_over_http_as_from_the_disk(
    server: Web, made: Settings, path: str, label: str, more: str
) -> None:
    """By its label, its name, or the name that the server gives it; its parts decide what it is."""
    server.routes[path.partition("?")[0]] = answer(book(), "200 OK", label, *([more] if more else []))
    assert "lit at six" in one(made, server.url + path).text


@pytest.mark.parametrize(
    ("label", "start", "url", "kind"),
    [
        ("text/csv", b"a,b\n1,2", "http://x/d", "csv"), ("text/plain", b"a,b\n1,2", "http://x/d.csv", "csv"), ("application/octet-stream", b"a\t1", "http://x/d.tsv", "csv"),
        ("text/html", b"<html>", "http://x/d.csv", "html"), ("text/csv", b"<!DOCTYPE html><p>gone", "http://x/d.csv", "html"),
        ("application/json", b'{"cells": []}', "http://x/n.ipynb", "ipynb"), ("text/plain", b"{\\rtf1", "http://x/a", "rtf"),
        ("application/zip", b"PK\x03\x04", "http://x/a.zip", None), ("application/octet-stream", b"PK\x03\x04", "http://x/a", None),
        ("application/vnd.ms-excel", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "http://x/a.xls", "xlsx"), ("application/vnd.ms-excel", b"a;b\n1;2", "http://x/a.csv", "csv"),
        ("text/plain", b"def f(): pass", "http://x/a.py", "text"), ("message/rfc822", b"Subject: x", "http://x/1", "eml"), ("image/png", b"\x89PNG", "http://x/a.csv", None),
    ],
)  # fmt: skip
def test_what_a_file_is(label: str, start: bytes, url: str, kind: str | None) -> None:
    """The bytes before the label, the label before the name."""
    assert kind_of(label, start, url) == kind


# -- certificates -------------------------------------------------------------------
@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A server with a certificate that nobody knows: its address, and the certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(key, hashes.SHA256())
    )  # fmt: skip
    certificate, both = tmp_path / "ca.pem", tmp_path / "both.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    both.write_bytes(secret + certificate.read_bytes())

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/a" else 404)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(PAGE)))
            self.end_headers()
            self.wfile.write(PAGE)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://127.0.0.1:{server.server_port}", certificate
    server.shutdown()


def test_certificates_of_ones_own_are_trusted(hds: Hds, secure: tuple[str, Path]) -> None:
    """`fetch.ca_file` beside the known ones, SSL_CERT_FILE instead of them; without either the page fails."""
    url, certificate = secure
    env = {"HDS_FETCH_ALLOW": "127.0.0.1/32"}
    assert "[tls]" in hds("fetch", url + "/a", env=env).stderr
    for name in ("HDS_FETCH_CA_FILE", "SSL_CERT_FILE"):
        done = hds("fetch", url + "/a", env=env | {name: str(certificate)})
        assert (done.returncode, "ordinary page" in done.stdout) == (0, True), done.stderr


def test_certificates_that_cannot_be_read_are_an_error(hds: Hds, tmp_path: Path) -> None:
    """What was named is not passed over."""
    broken = tmp_path / "ca.pem"
    broken.write_text("nothing")
    for name, said in (("HDS_FETCH_CA_FILE", "fetch.ca_file"), ("SSL_CERT_FILE", "SSL_CERT_FILE")):
        done = hds("fetch", "https://127.0.0.1:1/", env={name: str(broken)})
        assert (done.returncode, said in done.stderr) == (2, True)
