"""The page in Chromium, on the product behind its gateway."""

import csv
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from deploy.local.errors import LocalError
from support.page.browser import THEMES, WIDTHS, Looking, looking, numbers, table_of
from support.page.product import ELSEWHERE, PageProduct, killed, page_product

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [pytest.mark.clients, pytest.mark.timeout(180)]

HOUR = 3_600_000
SECONDS = 60.0
"""After so long what did not happen will not."""
Action = dict[str, Any]


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageProduct]:
    """Empty until a test asks for what it is filled with."""
    try:
        with page_product(tmp_path_factory.mktemp("page")) as product:
            yield product
    except LocalError as missing:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no Kafka and InfluxDB: {missing}")


@pytest.fixture(scope="module")
def look(product: PageProduct, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looking]:
    """Pictures go to the folder that PICTURES names, or to one of pytest's."""
    pictures = Path(os.environ.get("PICTURES") or tmp_path_factory.mktemp("pictures"))
    with looking(product.url, pictures) as look:
        yield look


@pytest.fixture(scope="module")
def filled(product: PageProduct) -> PageProduct:
    """Ten days in which the numbers of no two hours of a day are alike, and some actions come twice."""
    now = time.time_ns() // 1_000_000 // HOUR * HOUR
    actions = []
    for back in range(241):
        seen = 3 + (back * 7) % 24
        actions += [action(now - back * HOUR + 1, f"{number % 17}", "impression") for number in range(seen)]
        clicks = [action(now - back * HOUR + 2, f"{number % 5}", "click", f"{number}") for number in range(seen // 3)]
        actions += clicks + clicks
    product.post(*actions)
    until(lambda: totals(product, 240)["duplicates"], sum((3 + (back * 7) % 24) // 3 for back in range(241)))
    return product


def action(timestamp: int, user: str, event: str, identity: str | None = None) -> Action:
    return {"timestamp": timestamp, "user": user, "event": event, **({"id": identity} if identity else {})}


def totals(product: PageProduct, hours: int) -> dict[str, int]:
    now = time.time_ns() // 1_000_000 // HOUR * HOUR
    answer: dict[str, int] = product.get(f"/v1/totals?from={now - hours * HOUR}&to={now + HOUR}").json()
    return answer


def until(told: Callable[[], object], wanted: object) -> None:
    """Returns once it is told so."""
    give_up = time.monotonic() + SECONDS
    while (last := told()) != wanted and time.monotonic() < give_up:
        time.sleep(0.05)  # another process tells it when it is asked, and not before
    assert last == wanted


def text(count: int) -> str:
    return f"{count:,}"


def sums(page: "Page") -> list[str]:
    return page.locator("#sums dd span").all_inner_texts()


def waiting(page: "Page", selector: str, pattern: str) -> "Locator":
    """What `selector` names, once its text is like that."""
    from playwright.sync_api import expect  # noqa: PLC0415 - see conftest.py

    expect(page.locator(selector)).to_have_text(re.compile(pattern), timeout=1000 * SECONDS)
    return page.locator(selector)


def test_only_on_loopback_a_button_sends_a_test_click(look: Looking) -> None:
    with look.page(host=ELSEWHERE) as page:
        waiting(page, "#nothing-title", "^No actions in these hours yet$")

        assert page.locator("#test-click").is_hidden()
        assert f'POST "http://{ELSEWHERE}:' in str(page.locator("#nothing pre").text_content())
        page.click("#copy-line")
        waiting(page, "#nothing-done", "^Copied.$")


def test_a_first_run_says_how_to_send_an_action_and_both_ways_count(look: Looking) -> None:
    with look.page() as page:
        waiting(page, "#nothing-title", "^No actions in these hours yet$")
        waiting(page, '[data-number="clicks"] .big', "^0$")
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)
            look.look(page, f"first-run-{theme}")

        page.click("#test-click")
        waiting(page, '[data-number="clicks"] .big', "^1$")
        waiting(page, "#reading-hour", "so far$")
        assert page.locator("#nothing").is_hidden()

        command = page.locator("#nothing pre").text_content()
        assert command is not None
        said = subprocess.run(["bash", "-c", command], check=True, capture_output=True, text=True).stdout
        assert said.startswith("HTTP/1.1 204")
        waiting(page, '[data-number="unique_users"] .big', "^2$")
        waiting(page, "#complete", r"^exact up to \d\d:\d\d:\d\d, \d+ s behind$")


def test_hours_of_the_past_without_actions_ask_for_none(look: Looking) -> None:
    with look.page("/?from=2001-01-01T00:00Z&to=2001-01-02T00:00Z") as page:
        waiting(page, "#nothing-title", "^No actions in these hours$")

        assert page.locator("#nothing-how").is_hidden()


def test_the_numbers_are_those_of_the_api(filled: PageProduct, look: Looking) -> None:
    with look.page("/?span=7d&view=table") as page:
        waiting(page, "#sums div:first-child small", "^as of ")
        rows = filled.get("/v1/hours?from={}&to={}".format(*shown(page))).json()["hours"]
        told = totals(filled, 167)

        expected = [text(told["unique_users"]), text(told["clicks"]), text(told["impressions"]), rate(told)]
        until(lambda: sums(page), expected)
        until(lambda: [row[1:7] for row in reversed(table_of(page))], [cells(row) for row in rows])
        assert {row[7] for row in table_of(page)} == {"so far", "final"}
        until(lambda: dict(numbers(page)), {name: rows[-1][name] for name in ("unique_users", "clicks", "impressions")})
        before = filled.get(f"/v1/hours/{rows[-25]['hour']}").json()
        yesterday = page.locator('[data-number="clicks"] tr:first-of-type td').all_inner_texts()
        assert yesterday[0] == text(before["clicks"])


def shown(page: "Page") -> tuple[str, str]:
    """The span, as the download's address has it."""
    (found,) = re.findall("from=(.*)&to=(.*)&", str(page.get_attribute("#download", "href")))
    return found[0], found[1]


def rate(row: dict[str, int]) -> str:
    percent = Decimal(100 * row["clicks"] / row["impressions"])
    digits = "1" if percent >= 100 else "0.1" if percent >= 10 else "0.01"
    return f"{percent.quantize(Decimal(digits), ROUND_HALF_UP)} %"


def cells(row: dict[str, int]) -> list[str]:
    counted = [text(row[name]) for name in ("unique_users", "clicks", "impressions")]
    return [*counted, rate(row), text(row["actions"]), text(row["duplicates"])]


def test_the_table_sorts_and_is_copied_and_downloaded_as_csv(filled: PageProduct, look: Looking) -> None:
    with look.page("/?view=table", permissions=["clipboard-read", "clipboard-write"]) as page:
        until(lambda: len(table_of(page)), 24)
        page.get_by_role("button", name="Impressions").click()
        falling = [int(row[3]) for row in table_of(page)]
        page.get_by_role("button", name="Impressions").click()
        rising = [int(row[3]) for row in table_of(page)]
        page.click("#copy")
        waiting(page, "#copied", "^24 hours are copied.$")
        copied = list(csv.reader(page.evaluate("navigator.clipboard.readText()").splitlines()))
        with page.expect_download() as download:
            page.click("#download")
        downloaded = Path(download.value.path()).read_bytes().decode()

        assert falling == sorted(falling, reverse=True)
        assert rising == sorted(rising) == sorted(falling)
        assert page.url.endswith("?view=table&sort=impressions")
        assert page.locator('th[aria-sort="ascending"]').inner_text() == "Impressions ↑"
        answered = list(csv.reader(downloaded.splitlines()))
        assert downloaded == filled.get("/v1/hours?format=csv&from={}&to={}".format(*shown(page))).text
        assert copied[0] == answered[0]
        assert sorted(copied) == sorted(answered)


def test_an_action_that_is_posted_shows(filled: PageProduct, look: Looking) -> None:
    with look.page() as page:
        before = waiting(page, "#sums div:nth-child(3) dd span", r"^[\d,]+$").inner_text()
        impressions = int(before.replace(",", ""))
        filled.post(action(time.time_ns() // 1_000_000, "somebody", "impression"))

        waiting(page, "#sums div:nth-child(3) dd span", f"^{text(impressions + 1)}$")
        waiting(page, '[data-number="impressions"] .big', r"^\d+$")


def test_pointer_and_keys_read_an_hour_and_open_its_details(filled: PageProduct, look: Looking) -> None:
    with look.page("/?span=7d") as page:
        waiting(page, "#reading-hour", "so far$")
        page.focus("#charts")
        for key in ("Home", "PageDown", "ArrowRight"):
            page.keyboard.press(key)
        row = filled.get("/v1/hours?from={}&to={}".format(*shown(page))).json()["hours"][25]
        heard = str(page.get_attribute("#charts", "aria-valuetext"))
        assert page.get_attribute("#charts", "aria-valuenow") == "25"
        assert f"{row['impressions']} impressions, {row['clicks']} clicks, {row['unique_users']} unique" in heard

        page.keyboard.press("Enter")
        waiting(page, "#details-state", "^final: all that was acknowledged by ")
        assert page.locator("#details dd").all_inner_texts()[:4] == cells(row)[:4]
        assert page.url.endswith(f"&hour={row['hour']}")
        assert page.evaluate("document.activeElement.id") == "details-heading"
        page.get_by_role("button", name="Count them").click()
        waiting(page, "#details dd:has-text('broke')", "^0")
        page.keyboard.press("Escape")
        assert page.locator("#details").is_hidden()
        assert page.evaluate("document.activeElement.id") == "charts"

        box = page.locator("#counts .u-over").bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] * 0.5 / 168, box["y"] + 20)
        until(lambda: page.get_attribute("#charts", "aria-valuenow"), "0")
        page.mouse.down()
        page.mouse.up()
        waiting(page, "#details-state", "^final")


@pytest.mark.usefixtures("filled")
def test_dragging_and_keys_zoom_and_back_goes_back(look: Looking) -> None:
    with look.page("/?span=7d") as page:
        waiting(page, "#reading-hour", "so far$")
        whole = shown(page)
        box = page.locator("#counts .u-over").bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 40)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 60, steps=4)
        page.mouse.up()
        zoomed = shown(page)
        assert hours_of(zoomed) in (42, 43)
        assert [part in page.url for part in zoomed] == [True, True]
        assert page.locator("#details").is_hidden()

        page.focus("#charts")
        page.keyboard.press("+")
        until(lambda: hours_of(shown(page)) in (21, 22), wanted=True)
        closer = shown(page)
        page.get_by_role("button", name="Earlier").click()
        until(lambda: shown(page)[1], closer[0])
        page.go_back()
        until(lambda: shown(page), closer)
        page.go_back()
        until(lambda: shown(page), zoomed)
        page.go_back()
        until(lambda: shown(page), whole)


def hours_of(span: tuple[str, str]) -> int:
    first, end = map(datetime.fromisoformat, span)
    return round((end - first).total_seconds() / 3600)


def test_an_address_shows_the_same_hours_to_somebody_else_in_their_own_time(filled: PageProduct, look: Looking) -> None:
    with look.page() as page:
        page.fill("#from", "2026-01-05T09:00")
        page.fill("#to", "2026-01-06T10:00")
        page.get_by_role("button", name="Show").click()
        address = page.url.removeprefix(filled.url)
    assert address == "/?from=2026-01-05T09:00:00Z&to=2026-01-06T10:00:00Z"

    with look.page(address, timezone_id="Asia/Kolkata") as page:
        page.get_by_role("button", name="Local").click()
        assert "14:30" in waiting(page, "#span-heading", "Asia/.*$").inner_text()
        assert page.input_value("#from") == "2026-01-05T14:30"
        assert shown(page) == ("2026-01-05T09:00:00Z", "2026-01-06T10:00:00Z")
        assert page.url.endswith("&zone=local")


def test_a_span_that_cannot_be_shown_is_refused_in_words(filled: PageProduct, look: Looking) -> None:
    with look.page() as page:
        page.fill("#from", "2026-01-05T09:00")
        page.fill("#to", "2026-01-04T09:00")
        page.get_by_role("button", name="Show").click()

        waiting(page, "#span-trouble", "^The beginning lies before the end.$")
        assert page.url == f"{filled.url}/"


@pytest.mark.usefixtures("filled")
def test_everything_is_reached_without_a_mouse(look: Looking) -> None:
    with look.page("/?view=chart") as page:
        waiting(page, "#reading-hour", "so far$")
        controls = page.locator("button:visible:enabled, a:visible, input:visible, [tabindex='0']:visible").count()
        reached = set()
        for _ in range(controls + 20):
            page.keyboard.press("Tab")
            reached.add(page.evaluate("[...document.querySelectorAll('*')].indexOf(document.activeElement)"))
        everything = "[...document.querySelectorAll('button:enabled, a, input, [tabindex=\"0\"]')]"
        visible = f"{everything}.filter(one => one.checkVisibility())"
        wanted = page.evaluate(f"{visible}.map(one => [...document.querySelectorAll('*')].indexOf(one))")

        assert set(wanted) <= reached


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", WIDTHS)
def test_it_is_legible_at_each_width_in_both_themes(look: Looking, size: str, theme: str) -> None:
    for name, path in (("chart", "/?span=7d"), ("table", "/?view=table")):
        with look.page(path, size, color_scheme=theme) as page:
            waiting(page, '[data-number="clicks"] .big', r"^\d+$")
            waiting(page, "#sums div:nth-child(2) dd span", r"^[\d,]+$")
            if name == "chart":
                page.click("#open")
                waiting(page, "#details-state", "^exact up to")
            look.look(page, f"{name}-{size}-{theme}")


def test_while_the_store_is_away_what_is_known_stays_and_says_how_old_it_is(filled: PageProduct, look: Looking) -> None:
    with look.page("/") as page:
        waiting(page, "#complete", "^exact up to")
        known = numbers(page)
        with killed(filled.store):
            waiting(page, "#trouble", r"^The store does not answer.* These numbers are \d+ s old\.$")
            assert numbers(page) == known
            for theme in THEMES:
                page.emulate_media(color_scheme=theme)
                look.look(page, f"store-away-{theme}")
            with look.page("/") as stranger:
                waiting(stranger, "#trouble", r"^The store does not answer.* Nothing is known yet\.$")
                waiting(stranger, "#complete", "^nothing is known yet$")
                waiting(stranger, "#sums div:first-child small", "^not known$")
                assert stranger.locator("#chart-view, #span-trouble").filter(visible=True).count() == 0
                assert numbers(stranger) == dict.fromkeys(known, -1)
                look.look(stranger, "store-away-nothing-known")
        is_back(filled, page, known["clicks"])


def is_back(product: PageProduct, page: "Page", clicks: int) -> None:
    """Returns once nothing is wrong any more, and a click that is sent now is among those that are shown."""
    page.wait_for_selector("#trouble", state="hidden", timeout=60_000)
    waiting(page, "#complete", r"^exact up to \d\d:\d\d:\d\d, \d+ s behind$")
    product.post(action(time.time_ns() // 1_000_000, "somebody afterwards", "click"))
    until(lambda: numbers(page)["clicks"] > clicks or hour_passed(page), wanted=True)


def hour_passed(page: "Page") -> bool:
    """The hour ended while the test ran: its numbers begin again."""
    begun = page.locator("#now-heading").inner_text()
    return f"This hour, {datetime.now(UTC):%H}:00" in begun and numbers(page)["clicks"] == 1


def test_while_the_server_is_away_what_is_known_stays_and_says_how_old_it_is(
    filled: PageProduct, look: Looking
) -> None:
    with look.page("/") as page:
        waiting(page, "#complete", "^exact up to")
        known = numbers(page)
        with killed(filled.aggregator):
            waiting(page, "#trouble", r"^Disconnected from the server.* These numbers are \d+ s old\.$")
            assert numbers(page) == known
            for theme in THEMES:
                page.emulate_media(color_scheme=theme)
                look.look(page, f"disconnected-{theme}")
        is_back(filled, page, known["clicks"])


def test_while_the_log_is_away_the_numbers_are_shown_and_nobody_is_told_that_they_are_exact(
    filled: PageProduct, look: Looking
) -> None:
    unknown = "^how complete is unknown: the log does not answer$"
    with look.page("/") as page:
        waiting(page, "#complete", "^exact up to")
        known = numbers(page)
        with killed(filled.log):
            waiting(page, "#complete", unknown)
            with look.page("/?span=7d") as stranger:
                waiting(stranger, "#complete", unknown)
                until(lambda: dict(numbers(stranger)), dict(numbers(page)))
                stranger.click("#open")
                waiting(stranger, "#details-state", unknown)
                waiting(stranger, "#sums div:first-child small", "^how complete is unknown$")
                assert stranger.locator("#trouble, #span-trouble").filter(visible=True).count() == 0
                for theme in THEMES:
                    stranger.emulate_media(color_scheme=theme)
                    look.look(stranger, f"log-away-{theme}")
        is_back(filled, page, known["clicks"])


def test_no_page_of_these_tests_had_an_error_or_asked_another_server(look: Looking) -> None:
    assert look.errors == []
    assert look.asked_elsewhere == []
