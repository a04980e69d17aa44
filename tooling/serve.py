"""Serve the built book on this machine only: python -m tooling.serve [PORT]."""

import functools
import http.server
import sys
from pathlib import Path

SITE = Path(__file__).resolve().parents[1] / "_build" / "html"


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves files with the types that browsers insist on, whatever this machine believes."""

    extensions_map = http.server.SimpleHTTPRequestHandler.extensions_map | {
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".json": "application/json",
        ".svg": "image/svg+xml",
        ".wasm": "application/wasm",
    }

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
