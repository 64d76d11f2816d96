"""Signing in, and what a role may do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from chalicelib import auth
from tests.browser.configs import ORDERS
from tests.browser.conftest import keep


def sign_in(page: Page, token: str) -> None:
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Sign in").click()


def test_a_token_opens_the_console_and_stays_in_the_tab(blank: Page) -> None:
    blank.goto("/")
    keep(blank, "sign-in")
    sign_in(blank, auth.make_token("operator", "ann"))
    expect(blank.get_by_role("heading", name="Overview")).to_be_visible()
    expect(blank.get_by_role("banner")).to_contain_text("ann operator")
    blank.reload()
    expect(blank.get_by_role("heading", name="Overview")).to_be_visible()
    other = blank.context.new_page()
    other.goto("/")
    expect(other.get_by_label("Token")).to_be_focused()
    blank.get_by_role("button", name="Sign out").click()
    blank.reload()
    expect(blank.get_by_label("Token")).to_be_visible()
    assert blank.evaluate("[sessionStorage.length, localStorage.length]") == [0, 0]


def test_an_unknown_token_is_refused_in_words(blank: Page) -> None:
    blank.goto("/")
    sign_in(blank, "elt_guess")
    expect(blank.get_by_role("alert").first).to_contain_text("does not know this token")
    sign_in(blank, "elt_…")
    expect(blank.get_by_role("alert").first).to_contain_text("This is not a token.")
    sign_in(blank, auth.make_token("viewer", "ann"))
    expect(blank.get_by_role("heading", name="Overview")).to_be_visible()


def test_a_token_that_was_replaced_leads_back_to_the_sign_in(enter: Callable[..., Page]) -> None:
    page = enter("runs")
    auth.make_token("admin", "admin")
    page.get_by_role("link", name="Configuration").click()
    expect(page.get_by_label("Token")).to_be_visible()
    expect(page.get_by_role("alert").first).to_contain_text("replaced")


FIRST_PAINT = """() => new Promise((painted, late) => {
    setTimeout(late, 30_000, new Error("nothing was painted"));
    new PerformanceObserver((list) => {
        if (list.getEntriesByName("first-contentful-paint").length) painted();
    }).observe({ type: "paint", buffered: true });
})"""
"""Comes to an end with it; to ask again and again would need `eval`, which the page forbids."""


@pytest.mark.parametrize("signed_in", [True, False])
def test_the_first_paint_takes_two_requests_besides_the_page(blank: Page, signed_in: bool) -> None:
    answered: list[str] = []

    def no_more_than_two(route: Route) -> None:
        name = route.request.url.rpartition("/")[2]
        if name not in ("", "console.css", "console.js"):
            return None  # it hangs, and what is painted was painted without it
        answered.append(name)
        return route.continue_()

    if signed_in:
        blank.add_init_script("sessionStorage.setItem('token', 'elt_any')")
    blank.route("**/*", no_more_than_two)
    blank.goto("/", wait_until="commit")
    seen = blank.get_by_text("Loading …") if signed_in else blank.get_by_label("Token")
    expect(seen).to_be_visible()
    blank.evaluate(FIRST_PAINT)
    assert blank.evaluate("getComputedStyle(document.body).margin") == "0px", "it has its style"
    assert sorted(answered) == ["", "console.css", "console.js"]


def test_a_viewer_sees_what_it_may_not_do_before_the_click(
    enter: Callable[..., Page], blank: Page
) -> None:
    requests: list[str] = []
    blank.on("request", lambda request: requests.append(request.method + request.url))
    page = enter("overview", "viewer")
    page.get_by_role("link", name="Runs", exact=True).click()
    button = page.get_by_role("button", name="Run now")
    expect(button).to_be_disabled()
    expect(button).to_have_accessible_description("needs an operator's token")
    button.click(force=True)
    page.get_by_role("link", name="Configuration").click()
    upload = page.get_by_role("button", name="Upload as version")
    expect(upload).to_have_accessible_description("needs an admin's token")
    page.get_by_label("Configuration in YAML").fill(ORDERS)
    expect(page.get_by_text("No mistakes")).to_be_visible()
    keep(page, "viewer")
    upload.click(force=True)
    with page.expect_response("**/health"):  # what the click had sent would be seen before it
        page.evaluate("fetch('health')")
    assert not [r for r in requests if r.startswith("POST") and "validate-config" not in r]


def test_an_operator_runs_but_does_not_configure(enter: Callable[..., Page]) -> None:
    page = enter("runs", "operator")
    expect(page.get_by_role("button", name="Run now")).to_be_enabled()
    page.get_by_role("button", name="Run now").click()
    expect(page.get_by_role("alert")).to_contain_text("no configuration was uploaded yet")
    page.get_by_role("link", name="Configuration").click()
    expect(page.get_by_role("button", name="Upload as version 1")).to_be_disabled()
