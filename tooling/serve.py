"""Serve the built book on this machine only: python -m tooling.serve [PORT]."""

import functools
import gzip
import http.server
import io
import re
import sys
from pathlib import Path
from typing import BinaryIO

SITE = Path(__file__).resolve().parents[1] / "_build" / "html"


# Worth compressing: text in whatever guise, and WebAssembly. Pictures and fonts are compressed already.
COMPRESSIBLE = re.compile(r"text/|application/(javascript|json|wasm|xml)|image/svg")


@functools.lru_cache(maxsize=256)
def compressed(path: Path, changed: float) -> bytes:
    """Return a file's content compressed; ``changed`` is its time, so that a rebuilt file is read anew."""
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


def server(folder: Path = SITE, port: int = 8000) -> http.server.ThreadingHTTPServer:
    """Return a server for `folder` on the first free port from `port` on (0: any).

    Raises
    ------
    FileNotFoundError
        If `folder` holds no index.html: the book has to be built first.
    OSError
        If none of a hundred ports is free.
    """
    if not (folder / "index.html").exists():
        raise FileNotFoundError(f"{folder} holds no book: run `make book` first")
    handler = functools.partial(Handler, directory=str(folder))
    last = OSError()
    for candidate in [0] if port == 0 else range(port, port + 100):
        try:
            return http.server.ThreadingHTTPServer(("127.0.0.1", candidate), handler)
        except OSError as error:
            last = error
    raise last


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
