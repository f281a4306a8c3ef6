"""A shop's web server: an empty page, and the packages that npm installed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PAGE = b"<!doctype html><title>The shop</title><h1>Shoes</h1>"


class Shop(SimpleHTTPRequestHandler):
    """Answers with a file of the folder, and without a dot in the path with the page."""

    def do_GET(self) -> None:
        if "." in self.path:
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@contextmanager
def running_shop(folder: Path) -> Iterator[str]:
    """The address of the shop, for as long as the block runs."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Shop, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
