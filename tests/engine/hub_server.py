"""A server on loopback that speaks as much of a hub's API as a download needs, and fails when it is told to.

Answers `/api/models/REPO/revision/REV` and `/REPO/resolve/COMMIT/FILE` (ETag, Range, X-Repo-Commit, X-Linked-Size),
and `/files/a/plain/FILE` as an ordinary web server does.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Repo:
    """Files by path, and what the card says; `told` replaces checksums the API gives."""

    files: dict[str, bytes]
    licence: str | None = "apache-2.0"
    gated: bool = False
    told: dict[str, str] = field(default_factory=dict)
    commit: str = COMMIT


class Hub(ThreadingHTTPServer):
    """`cut` holds how many bytes the next answers send before the line drops; `down` refuses every download."""

    daemon_threads = True

    def __init__(self, repos: dict[str, Repo]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repos = repos
        self.cut: list[int] = []
        self.down = False
        self.ranges = True
        self.requests: list[tuple[str, str, str | None, str | None]] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def gets(self) -> list[str | None]:
        """The Range of every download, in order."""
        return [range_ for method, path, range_, _ in self.requests if method == "GET" and "/api/" not in path]


class _Handler(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer(head=True)

    def do_GET(self) -> None:
        self._answer(head=False)

    def log_message(self, *_: Any) -> None: ...

    def _answer(self, *, head: bool) -> None:
        self.server.requests.append(
            (self.command, self.path, self.headers.get("Range"), self.headers.get("Authorization"))
        )
        if api := re.fullmatch(r"/api/models/([^/]+/[^/]+)/revision/([^?]+)(?:\?.*)?", self.path):
            self._describe(api[1], api[2])
        elif file := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", self.path):
            repo = self.server.repos[file[1]]
            if repo.gated:
                self._refuse(403, "GatedRepo")
            else:
                self._send(repo.files[file[3]], head)
        elif (name := self.path.removeprefix("/files/a/plain/")) in self.server.repos["a/plain"].files:
            self._send(self.server.repos["a/plain"].files[name], head)
        else:
            self._refuse(404, "EntryNotFound")

    def _describe(self, name: str, revision: str) -> None:
        repo = self.server.repos.get(name)
        if repo is None:
            return self._refuse(401, "RepoNotFound")
        if revision not in ("main", repo.commit):
            return self._refuse(404, "RevisionNotFound")
        siblings = [_sibling(path, data, repo.told.get(path)) for path, data in repo.files.items()]
        card = {"license": repo.licence} if repo.licence else {}
        body = {"id": name, "modelId": name, "sha": repo.commit, "siblings": siblings, "cardData": card, "tags": []}
        self._whole(200, json.dumps(body).encode(), {"Content-Type": "application/json"})

    def _refuse(self, status: int, code: str) -> None:
        self._whole(status, b"", {"X-Error-Code": code, "X-Error-Message": code})

    def _whole(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _send(self, data: bytes, head: bool) -> None:
        if self.server.down:
            return self._refuse(502, "Down")
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "") if self.server.ranges else None
        begin = int(asked[1]) if asked else 0
        self.send_response(206 if asked else 200)
        self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("X-Linked-Size", str(len(data)))
        self.send_header("Content-Length", str(len(data) - begin))
        if asked:
            self.send_header("Content-Range", f"bytes {begin}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        if head:
            return
        end = begin + self.server.cut.pop(0) if self.server.cut else len(data)
        self.wfile.write(data[begin:end])
        if end < len(data):
            self.wfile.flush()
            self.close_connection = True
            self.connection.shutdown(2)


def _sibling(path: str, data: bytes, told: str | None) -> dict[str, Any]:
    """A file as the API describes it: small texts lie in git, with git's checksum; the rest has a SHA-256."""
    if path.endswith((".json", ".jinja", ".md")) and path != "tokenizer.json":
        blob = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        return {"rfilename": path, "size": len(data), "blobId": told or blob}
    sha256 = told or hashlib.sha256(data).hexdigest()
    lfs = {"sha256": sha256, "size": len(data), "pointerSize": 1}
    return {"rfilename": path, "size": len(data), "blobId": "0" * 40, "lfs": lfs}
