"""Every view, empty and full, light and dark, wide and narrow: readable by eyes and by machines."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from chalicelib import auth, jobs, uploads
from chalicelib.history.records import NewRun
from tests.browser.configs import ORDERS, WRONG
from tests.browser.conftest import keep
from tests.gateway import gateway
from tests.pipelines import Pipeline

AXE = Axe()
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
WIDE, NARROW = 1280, 360


@pytest.fixture
def filled(shop: Pipeline) -> str:
    """The id of a run with everything in it: rows, rejects, a file that is there twice."""
    engine = jobs.service()
    uploads.add(engine, ORDERS, "ann", "the first")
    uploads.add(
        engine, ORDERS.replace("name: text", "name: {type: text, allowed: [Ada, Alan]}"), "bob"
    )
    shop.write("orders.csv", "id;name\n1;Ada\n2;Grace\nx;Alan\n")
    shop.write("copy.csv", "id;name\n1;Ada\n2;Grace\nx;Alan\n")
    run = jobs.trigger(engine, NewRun("api", "ann"))
    return run.id


def views(page: Page, run_id: str) -> Iterator[str]:
    """Each view, when all of it is there."""
    page.goto("/#/overview")
    expect(page.get_by_role("region", name="Last run")).to_contain_text("succeeded")
    yield "overview"
    page.goto("/#/runs")
    expect(page.get_by_role("table", name="Runs")).to_be_visible()
    yield "runs"
    page.goto(f"/#/runs/{run_id}")
    expect(page.get_by_role("table", name="Rows kept out")).to_be_visible()
    yield "run"
    page.get_by_role("button", name="Correct line 4").click()
    yield "correction"
    page.keyboard.press("Escape")
    page.goto("/#/configuration")
    expect(page.get_by_text("No mistakes")).to_be_visible()
    page.get_by_role("button", name="Preview the data").click()
    expect(page.get_by_role("table", name="First rows of local")).to_be_visible()
    yield "preview"
    page.get_by_label("Configuration in YAML").fill(WRONG)
    expect(page.get_by_text("2 mistakes")).to_be_visible()
    yield "configuration"
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.get_by_role("region", name="Differences")).to_be_visible()
    yield "differences"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_view_breaks_a_rule_of_accessibility_or_overflows(
    enter: Callable[..., Page], filled: str, scheme: str
) -> None:
    page = enter()
    page.emulate_media(color_scheme=scheme)
    for view in views(page, filled):
        judge(page, f"{view}-{scheme}")


def judge(page: Page, name: str) -> None:
    """At both widths: keep a picture, and look whether it overflows or breaks a rule."""
    for width in (NARROW, WIDE):
        page.set_viewport_size({"width": width, "height": 800})
        keep(page, f"{name}-{width}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        found = AXE.run(page, options=RULES)
        assert found.violations_count == 0, f"{name}, {width}: {found.generate_report()}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_sign_in_and_the_empty_views_break_no_rule_either(
    enter: Callable[..., Page], scheme: str
) -> None:
    page = enter(role="viewer")
    page.emulate_media(color_scheme=scheme)
    for view in ("overview", "configuration", "runs"):
        page.goto(f"/#/{view}")
        expect(page.get_by_role("heading", level=1)).to_have_text(view.capitalize())
        judge(page, f"{view}-empty-{scheme}")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Token")).to_be_visible()
    judge(page, f"sign-in-{scheme}")


def test_dark_is_dark(enter: Callable[..., Page]) -> None:
    page = enter()
    page.emulate_media(color_scheme="dark")
    assert (
        page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        == "rgb(18, 22, 20)"
    )


@pytest.mark.parametrize("slash", ["", "/"])
def test_below_a_stage_all_of_it_is_reached(blank: Page, shop: Pipeline, slash: str) -> None:
    blank.add_init_script(f"sessionStorage.setItem('token', '{auth.make_token('admin', 'ann')}')")
    with gateway("/api") as url:
        blank.goto(f"{url}/api{slash}")
        expect(blank.get_by_role("heading", name="Overview")).to_be_visible()
        blank.get_by_role("link", name="Runs", exact=True).click()
        expect(blank.get_by_role("heading", name="There was no run yet")).to_be_visible()
        assert blank.url == f"{url}/api/#/runs"
