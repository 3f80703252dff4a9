"""Debian's Chromium without a window, driven by playwright; and servers of pages, each an origin of its own."""

import shutil
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from playwright.async_api import Browser

_EMPTY: Final = "<!doctype html><meta charset=utf-8><title>page</title>"


@asynccontextmanager
async def chromium() -> AsyncIterator["Browser"]:
    """A browser that forgets everything at its end."""
    from playwright.async_api import async_playwright  # noqa: PLC0415 - see conftest.py of tests/clients

    async with async_playwright() as driver:
        # Its sandbox refuses root.
        browser = await driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        try:
            yield browser
        finally:
            await browser.close()


class Pages:
    """Serves pages, an empty one by default, on a port of its own: so its origin is none of the product's."""

    def __init__(self, port: int) -> None:
        self.origin = f"http://127.0.0.1:{port}"
        self.other_origin = f"http://localhost:{port}"
        """The same pages, for a browser of another origin."""
        self.content: dict[str, str] = {}
        """By path, whatever the query; HTML, unless who asks takes it for something else."""
        self.headers: Mapping[str, str] = {}
        """Sent with every page."""


@contextmanager
def served_pages() -> Iterator[Pages]:
    """Pages for the time of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = pages.content.get(self.path.partition("?")[0], _EMPTY).encode()
            self.send_response(200)
            for name, value in {"Content-Type": "text/html; charset=utf-8", **pages.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        pages = Pages(server.server_port)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield pages
        server.shutdown()
        thread.join()
