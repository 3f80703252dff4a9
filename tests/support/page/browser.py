"""A browser in which the page is looked at: by its text, by axe-core, and by whoever opens the pictures."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from support.builds.clients import node_packages
from support.page.product import ELSEWHERE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WIDTHS: Final = {"phone": (360, 780), "laptop": (1280, 900), "4k": (3840, 2160)}
"""Width and height by name."""
THEMES: Final = ("light", "dark")
LOOPBACK: Final = "127.0.0.1"
_GRAVE: Final = ("serious", "critical")
_AXE: Final = "() => axe.run().then(told => told.violations.map(one => [one.impact, one.id, one.nodes[0].html]))"
_TEXTS: Final = "(table) => [...table.rows].map(row => [...row.cells].map(cell => cell.textContent))"


class Looking:
    """Pages of one browser. What went wrong in any of them, and what any of them asked elsewhere, is kept."""

    def __init__(self, browser: "Browser", origin: str, pictures: Path) -> None:
        self._browser = browser
        self._origin = origin
        self._pictures = pictures
        self._axe = (node_packages() / "node_modules" / "axe-core" / "axe.min.js").read_text()
        self.errors: list[str] = []
        self.asked_elsewhere: list[str] = []

    @contextmanager
    def page(
        self,
        path: str = "/",
        size: str = "laptop",
        *,
        host: str = LOOPBACK,
        **options: Any,  # noqa: ANN401 - playwright's
    ) -> Iterator["Page"]:
        """A page in a context of its own; `host`: LOOPBACK or ELSEWHERE."""
        width, height = WIDTHS[size]
        context = self._browser.new_context(viewport={"width": width, "height": height}, **options)
        try:
            page = context.new_page()
            page.on("pageerror", lambda error: self.errors.append(str(error)))
            page.on("console", lambda said: self._said(said.type, said.text))
            origin = self._origin.replace(LOOPBACK, host)
            page.on("request", lambda request: self._asked(origin, request.url))
            page.goto(f"{origin}{path}")
            yield page
        finally:
            context.close()

    def look(self, page: "Page", name: str) -> None:
        """A picture; nothing is wider than the window, and axe-core finds nothing serious."""
        page.screenshot(path=self._pictures / f"{name}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
        # Its text is run by the driver: the page's own policy would refuse it as a script.
        page.evaluate(self._axe)
        assert [one for one in page.evaluate(_AXE) if one[0] in _GRAVE] == [], name

    def _said(self, kind: str, text: str) -> None:
        # While something is cut off, the browser says so by itself.
        if kind in ("error", "warning") and "Failed to load resource" not in text:
            self.errors.append(text)

    def _asked(self, origin: str, url: str) -> None:
        if not url.startswith((origin, f"blob:{origin}")):
            self.asked_elsewhere.append(url)


@contextmanager
def looking(origin: str, pictures: Path) -> Iterator[Looking]:
    """Debian's Chromium for the time of the block."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - see conftest.py of tests/clients

    pictures.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as driver:
        # Its sandbox refuses root.
        options = ["--no-sandbox", f"--host-resolver-rules=MAP {ELSEWHERE} {LOOPBACK}"]
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=options)
        try:
            yield Looking(browser, origin, pictures)
        finally:
            browser.close()


def numbers(page: "Page") -> Mapping[str, int]:
    """The three numbers of the current hour."""
    found = {}
    for name in ("unique_users", "clicks", "impressions"):
        text = page.locator(f'[data-number="{name}"] .big').inner_text()
        found[name] = int(text.replace(",", "")) if text != "\u2013" else -1
    return found


def table_of(page: "Page") -> list[list[str]]:
    """The texts of the table's rows, without the heads."""
    rows: list[list[str]] = page.locator("table.hours").evaluate(_TEXTS)
    return rows[1:]
