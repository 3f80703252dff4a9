import re
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from aggregator.http.page import PAGE, page
from aggregator.http.problems import problem_handlers
from support.fixtures.aggregator import AggregatorFixture, serving

FETCHED = PAGE / "uplot"


def client_of(folder: Path) -> httpx.AsyncClient:
    app = FastAPI(redirect_slashes=False)
    problem_handlers().install(app)
    app.include_router(page(folder))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "modules").mkdir()
    (tmp_path / "index.html").write_text('<script src="/page/{version}/modules/main.js"></script>')
    (tmp_path / "modules" / "main.js").write_text("1")
    return tmp_path


async def address(client: httpx.AsyncClient) -> str:
    (found,) = re.findall('src="(.*)"', (await client.get("/")).text)
    return str(found)


async def test_all_that_the_page_names_is_there_unless_the_set_up_fetches_it() -> None:
    async with serving(AggregatorFixture()) as client:
        answer = await client.get("/")
        named = re.findall(r'(?:src|href)="(/page/[^"]+)"', answer.text)

        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert len(named) > 10
        for path in named:
            if "/uplot/" not in path or FETCHED.is_dir():
                assert (await client.get(path)).status_code == 200, path


async def test_each_module_that_a_module_imports_is_named_by_the_page_too_so_that_all_are_fetched_at_once() -> None:
    modules = PAGE / "modules"
    named = set(re.findall(r'/modules/(\w+\.js)"', (PAGE / "index.html").read_text()))

    assert named == {path.name for path in modules.iterdir()}


def test_no_script_and_no_style_stands_in_the_page_itself() -> None:
    html = (PAGE / "index.html").read_text()

    assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=|javascript:", html)


def test_nothing_that_the_page_loads_lies_on_another_server() -> None:
    # The name of a vocabulary is no address that is asked.
    texts = [path.read_text() for path in PAGE.rglob("*") if path.is_file() and path.parent != FETCHED]

    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", "\n".join(texts))


def test_the_page_weighs_less_than_150_kb() -> None:
    assert sum(path.stat().st_size for path in PAGE.rglob("*") if path.is_file()) < 150_000


async def test_a_browser_runs_what_the_page_comes_with_and_nothing_else(folder: Path) -> None:
    async with client_of(folder) as client:
        for path in ("/", await address(client)):
            headers = (await client.get(path)).headers
            policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))

            assert policy["default-src"] == policy["base-uri"] == "'none'"
            assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
            assert headers["X-Content-Type-Options"] == "nosniff"


async def test_the_page_is_asked_for_again_and_answered_304_while_it_is_the_same(folder: Path) -> None:
    async with client_of(folder) as client:
        first = await client.get("/")
        again = await client.get("/", headers={"If-None-Match": f'"other", W/{first.headers["ETag"]}'})

        assert first.headers["Cache-Control"] == "no-cache"
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]


async def test_a_file_is_kept_and_its_address_is_another_one_once_any_file_changes(folder: Path) -> None:
    async with client_of(folder) as client:
        path = await address(client)
        answer = await client.get(path)
    (folder / "page.css").write_text("")
    async with client_of(folder) as client:
        other = await address(client)

    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert "immutable" in answer.headers["Cache-Control"]
    assert path != other


async def test_a_file_of_another_version_is_answered_and_not_kept(folder: Path) -> None:
    async with client_of(folder) as client:
        answer = await client.get("/page/0123/modules/main.js")

    assert (answer.status_code, answer.text, answer.headers["Cache-Control"]) == (200, "1", "no-store")


async def test_head_is_answered_as_get_without_the_body(folder: Path) -> None:
    async with client_of(folder) as client:
        for path in ("/", await address(client)):
            got, head = await client.get(path), await client.head(path)

            assert head.status_code == 200
            assert head.headers == got.headers


@pytest.mark.parametrize(
    "path",
    [
        "/page/1/nothing.js",
        "/page/1/index.html",
        "/page/1/",
        "/page/1/../page.py",
        "/page/1/..%2fpage.py",
        "/page/1/%2e%2e/%2e%2e/settings.py",
        "/page/1//etc/passwd",
        "/page/1/modules",
    ],
)
async def test_what_is_no_file_of_the_page_is_a_problem(path: str) -> None:
    async with serving(AggregatorFixture()) as client:
        answer = await client.get(path)

    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_other_methods_are_refused(folder: Path) -> None:
    async with client_of(folder) as client:
        answer = await client.post("/")

    assert answer.status_code == 405
    assert {method.strip() for method in answer.headers["Allow"].split(",")} == {"GET", "HEAD"}


async def test_programs_are_told_nothing_of_the_page() -> None:
    async with serving(AggregatorFixture()) as client:
        paths = (await client.get("/openapi.json")).json()["paths"]

    assert "/" not in paths
    assert not [path for path in paths if path.startswith("/page")]
