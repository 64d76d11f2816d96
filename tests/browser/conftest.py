"""The console in a real Chromium, against the service with a real database and an emulated AWS."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import (
    APIResponse,
    Browser,
    Dialog,
    Page,
    Playwright,
    Route,
    expect,
    sync_playwright,
)

from chalicelib import auth
from tests.pipelines import Pipeline

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
SWITCHES = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"
PATIENCE = 20_000
"""Milliseconds, for a machine that is busy with other things."""

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def _playwright() -> Iterator[Playwright]:
    if CHROMIUM is None:
        pytest.skip("there is no chromium; on Debian and Ubuntu: apt install chromium")
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(_playwright: Playwright) -> Iterator[Browser]:
    browser = _playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
    yield browser
    browser.close()


@pytest.fixture
def blank(
    browser: Browser,
    shop: Pipeline,
    service_url: str,
    bucket: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Page]:
    """A page of a person in Tokyo, before it goes anywhere; a script that fails, fails the test."""
    monkeypatch.setenv("ELT_BUCKET", bucket)
    context = browser.new_context(
        base_url=service_url, locale="en-US", timezone_id="Asia/Tokyo",
        viewport={"width": 1280, "height": 800}, reduced_motion="reduce",
    )  # fmt: skip
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on("console", lambda said: broken.append(said.text) if "Policy" in said.text else None)
    yield page
    context.close()
    assert broken == []


@pytest.fixture
def enter(blank: Page) -> Callable[..., Page]:
    """Go to a view with the token of a role, as after signing in."""

    def enter(view: str = "overview", role: str = "admin") -> Page:
        token = auth.make_token(role, role)
        blank.add_init_script(f"sessionStorage.setItem('token', '{token}')")
        blank.goto(f"/#/{view}")
        expect(blank.get_by_role("heading", level=1)).to_be_visible()
        return blank

    return enter


def keep(page: Page, name: str) -> None:
    """Write a screenshot for people to look at."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


def held_back(page: Page, address: str, ask: Callable[[], object]) -> Callable[[], None]:
    """Let the page ask, and keep the answer from this address; what is returned hands it over."""
    seen: list[Route] = []
    held: list[APIResponse] = []

    def handle(route: Route) -> None:
        seen.append(route)
        if len(seen) > 1:
            return route.continue_()
        return held.append(route.fetch())

    def deliver() -> None:
        route, answer = seen[0], held[0]
        with page.expect_event("requestfinished", lambda request: request == route.request):
            route.fulfill(response=answer)
        page.evaluate("new Promise(resolve => setTimeout(resolve, 50))")

    page.route(address, handle)
    ask()
    while not held:
        page.wait_for_timeout(10)
    return deliver


def look_again(page: Page) -> None:
    """Let the view ask now what it would ask some seconds later."""
    page.evaluate("dispatchEvent(new Event('online'))")


def warned(page: Page) -> list[str]:
    """What the browser asks before it loads the page again, which it then does."""
    asked: list[str] = []

    def accept(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", accept)
    page.reload()
    page.remove_listener("dialog", accept)
    return asked


def run_now(page: Page, ends: str = "succeeded") -> None:
    """Press the button and watch the run to its end."""
    page.get_by_role("button", name="Run now").first.click()
    page.wait_for_url(re.compile(r"#/runs/"))
    watch(page, ends)


def watch(page: Page, ends: str = "succeeded") -> None:
    """Look at the run that is shown until it is over, more often than the page does."""
    state = page.locator("h1 + .facts .state")
    for _ in range(PATIENCE // 100):
        if not re.search("queued|running", state.inner_text()):
            break
        page.wait_for_timeout(100)
        look_again(page)
    expect(state).to_contain_text(ends)
