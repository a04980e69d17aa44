"""Serve the built book on this machine only: python -m tooling.serve [PORT]."""

import errno
import functools
import gzip
import http.server
import io
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from tooling.repository import ROOT

SITE = ROOT / "_build" / "html"
# Worth compressing: text in whatever guise, and WebAssembly. Pictures and fonts are compressed already.
COMPRESSIBLE = re.compile(r"text/|application/(javascript|json|wasm|xml)|image/svg")


@functools.lru_cache(maxsize=256)
def compressed(path: Path, changed: float) -> bytes:
    """Return a file's content compressed; ``changed`` is its time, so that a rebuilt file is read again."""
    return gzip.compress(path.read_bytes(), compresslevel=6, mtime=0)


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves files with the types that browsers insist on, whatever this machine believes."""

    extensions_map = http.server.SimpleHTTPRequestHandler.extensions_map | {
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".json": "application/json",
        ".svg": "image/svg+xml",
        ".wasm": "application/wasm",
    }

    def send_head(self) -> io.BytesIO | BinaryIO | None:
        """Send the headers, and return the content: compressed where that is asked for and helps."""
        path = Path(self.translate_path(self.path))
        kind = self.guess_type(path)
        plain = "gzip" not in self.headers.get("Accept-Encoding", "") or not path.is_file()
        # Whoever has the file already may be told that it is unchanged.
        if plain or "If-Modified-Since" in self.headers or not COMPRESSIBLE.match(kind):
            return super().send_head()
        content = compressed(path, changed := path.stat().st_mtime)
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Last-Modified", self.date_time_string(int(changed)))
        self.send_header("Vary", "Accept-Encoding")
        self.end_headers()
        return io.BytesIO(content)

    def end_headers(self) -> None:
        """Ask the browser to check for changes: a rebuilt page must show at once."""
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing about requests."""


class Server(http.server.ThreadingHTTPServer):
    """Says nothing about browsers that close while a file is on its way."""

    def handle_error(self, request: object, address: object) -> None:
        """Let the base class print any other error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, address)  # type: ignore[arg-type]


def server(folder: Path = SITE, port: int = 8000, handler: type[Handler] = Handler) -> Server:
    """Return a server for `folder` on the first free port from `port` on (0: any).

    Raises
    ------
    FileNotFoundError
        If `folder` holds no index.html: the book has to be built first.
    OSError
        If this machine lets nobody serve at such a port.
    """
    if not (folder / "index.html").exists():
        raise FileNotFoundError(f"{folder} holds no book: run `make book` first")
    answer = functools.partial(handler, directory=str(folder))
    while True:
        try:
            return Server(("127.0.0.1", port), answer)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            port += 1


@contextmanager
def in_background(folder: Path = SITE, handler: type[Handler] = Handler) -> Iterator[str]:
    """Serve `folder` while the body runs; yields the server's address, which ends in a slash."""
    with server(folder, 0, handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{running.server_port}/"
        finally:
            running.shutdown()


def main() -> int:
    """Serve until interrupted."""
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
    with server(port=port) as running:
        print(f"The book is at http://127.0.0.1:{running.server_port}/  (Ctrl-C ends)", flush=True)
        try:
            running.serve_forever()
        except KeyboardInterrupt:
            print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
