"""How things stand."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from chalicelib import jobs, schedule, uploads
from tests.browser.configs import ORDERS
from tests.browser.conftest import held_back, keep, look_again, run_now
from tests.pipelines import Pipeline


def test_before_the_first_configuration_it_says_what_to_do(enter: Callable[..., Page]) -> None:
    page = enter()
    expect(page.get_by_role("heading", name="Nothing is set up yet")).to_be_visible()
    keep(page, "overview-empty")
    page.get_by_role("link", name="Write the configuration").click()
    expect(page.get_by_role("heading", name="Configuration")).to_be_visible()


def test_the_schedule_is_turned_on_changed_and_turned_off(
    enter: Callable[..., Page], shop: Pipeline
) -> None:
    uploads.add(jobs.service(), ORDERS, "test")
    page = enter()
    switch = page.get_by_role("switch", name="Schedule")
    expect(switch).not_to_be_checked()
    switch.click()
    expect(switch).to_be_checked()
    expect(page.get_by_text("The first run starts within 1 hour.")).to_be_visible()
    page.get_by_label("Every").fill("30")
    page.get_by_label("Unit").select_option("minute")
    page.get_by_label("Every").press("Enter")
    expect(page.get_by_text("The first run starts within 30 minutes.")).to_be_visible()
    assert schedule.state().rate == "rate(30 minutes)"
    switch.click()
    expect(switch).not_to_be_checked()
    assert schedule.state().enabled is False


def test_a_rate_that_is_not_saved_outlives_a_change_of_the_schedule(
    enter: Callable[..., Page], shop: Pipeline
) -> None:
    uploads.add(jobs.service(), ORDERS, "test")
    page = enter()
    page.get_by_label("Every").fill("45")
    page.get_by_label("Unit").select_option("minute")
    page.get_by_role("switch", name="Schedule").click()
    expect(page.get_by_role("switch", name="Schedule")).to_be_checked()
    expect(page.get_by_label("Every")).to_have_value("45")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The first run starts within 45 minutes.")).to_be_visible()
    expect(page.get_by_role("button", name="Save")).to_be_hidden()
    schedule.replace("rate(2 days)")
    look_again(page)
    expect(page.get_by_label("Every")).to_have_value("2")


def test_a_state_of_the_schedule_that_comes_late_does_not_turn_the_switch_back(
    enter: Callable[..., Page], shop: Pipeline
) -> None:
    uploads.add(jobs.service(), ORDERS, "test")
    page = enter()
    switch = page.get_by_role("switch", name="Schedule")
    deliver = held_back(page, "**/schedule-job", lambda: look_again(page))
    switch.click()
    expect(switch).to_be_checked()
    deliver()
    assert switch.get_attribute("aria-checked") == "true", "before it is asked for again"


def test_the_last_runs_are_a_chart_that_the_keyboard_reads(
    enter: Callable[..., Page], shop: Pipeline
) -> None:
    uploads.add(jobs.service(), ORDERS, "test")
    shop.write("a.csv", "id,name\n" + "".join(f"{n},Ada\n" for n in range(2500)) + "x,Bob\n")
    page = enter("runs")
    run_now(page)
    page.get_by_role("link", name="Overview").click()
    run_now(page)
    page.get_by_role("link", name="Overview").click()
    expect(page.get_by_role("region", name="Last run")).to_contain_text("nothing new")
    bars = page.get_by_role("group", name="Runs, the oldest first").get_by_role("link")
    expect(bars).to_have_count(2)
    bars.last.focus()
    page.keyboard.press("ArrowLeft")
    words = re.compile("succeeded, 2,500 rows loaded, 1 quarantined")
    expect(page.locator(":focus")).to_have_accessible_name(words)
    expect(page.locator("figure .told")).to_contain_text("2,500 rows loaded, 1 quarantined")
    keep(page, "overview")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Rows kept out of the table")).to_be_visible()


def test_rows_in_quarantine_are_counted_and_found(
    enter: Callable[..., Page], shop: Pipeline
) -> None:
    uploads.add(jobs.service(), ORDERS, "test")
    shop.write("a.csv", "id,name\n1,Ada\nx,Bob\ny,Eve\n")
    page = enter()
    run_now(page)
    page.get_by_role("link", name="Overview").click()
    waiting = page.get_by_role("region", name="In quarantine")
    expect(waiting).to_contain_text("2 rows of")
    waiting.get_by_role("link").click()
    expect(page.get_by_role("table", name="Rows kept out")).to_contain_text("is not")


def test_a_lost_connection_is_noticed_and_heals(
    enter: Callable[..., Page], blank: Page, shop: Pipeline
) -> None:
    uploads.add(jobs.service(), ORDERS, "test")
    blank.clock.install()
    page = enter()
    expect(page.get_by_role("heading", name="In quarantine")).to_be_visible()
    page.context.set_offline(True)
    expect(page.get_by_text("The service cannot be reached.")).to_be_visible()
    expect(page.get_by_role("heading", name="In quarantine")).to_be_visible()
    keep(page, "connection-lost")
    page.clock.pause_at(page.evaluate("Date.now() + 1000"))
    with page.expect_event("requestfailed"):
        page.get_by_role("button", name="Try now").click()
    expect(page.get_by_text("The service cannot be reached.")).to_be_visible()
    page.clock.resume()
    page.context.set_offline(False)
    expect(page.get_by_text("Connected again.")).to_be_visible()
    expect(page.get_by_text("The service cannot be reached.")).to_have_count(0)


def test_a_schedule_that_cannot_be_read_hides_nothing_else(
    enter: Callable[..., Page], shop: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads.add(jobs.service(), ORDERS, "test")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    page = enter()
    expect(page.get_by_role("region", name="Schedule")).to_contain_text("EventBridge")
    expect(page.get_by_role("region", name="In quarantine")).to_contain_text("No row waits")


def test_a_call_that_was_one_too_many_is_made_again_and_its_note_goes(
    enter: Callable[..., Page], blank: Page
) -> None:
    calls: list[str] = []

    def refuse_first(route: Route) -> None:
        calls.append(route.request.url)
        if len(calls) > 1:
            return route.continue_()
        error = {"code": "too_many", "message": "Slow down.", "details": []}
        return route.fulfill(status=429, json={"error": error})

    page = enter("configuration")
    blank.route("**/runs?*", refuse_first)
    page.get_by_role("link", name="Runs", exact=True).click()
    expect(page.get_by_role("heading", name="There was no run yet")).to_be_visible()
    expect(page.get_by_text("Slow down.")).to_have_count(0)
    assert len(calls) > 1


def test_how_long_ago_something_was_keeps_up_with_the_clock(
    enter: Callable[..., Page], blank: Page, shop: Pipeline
) -> None:
    uploads.add(jobs.service(), ORDERS, "test")
    blank.clock.install()
    page = enter("configuration")
    history = page.get_by_role("region", name="History")
    expect(history).to_contain_text("just now")
    page.clock.fast_forward("10:00")
    expect(history).to_contain_text("10 minutes ago")
