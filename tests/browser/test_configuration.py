"""Writing, checking, trying, storing and restoring a configuration."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from chalicelib import auth, jobs, uploads
from chalicelib.history import configs
from chalicelib.secrets import user_store
from tests.browser.configs import ORDERS, WRONG
from tests.browser.conftest import held_back, keep, look_again, warned
from tests.pipelines import Pipeline


@pytest.fixture
def page(enter: Callable[..., Page]) -> Page:
    return enter("configuration")


def editor(page: Page) -> object:
    return page.get_by_label("Configuration in YAML")


def latest() -> configs.Version | None:
    return configs.latest(jobs.service())


def test_a_mistake_is_marked_at_its_line_and_mended(page: Page) -> None:
    text = page.get_by_label("Configuration in YAML")
    text.fill(WRONG)
    expect(page.get_by_text("2 mistakes")).to_be_visible()
    expect(page.locator(".gutter .wrong")).to_have_text(["4", "7"])
    keep(page, "configuration-mistakes")
    page.get_by_role("button", name="Upload as version 1").click()
    expect(text).to_be_focused()
    assert latest() is None
    page.get_by_role("button", name="Line 7").click()
    page.keyboard.insert_text("id: {type: integer, required: true}")
    page.get_by_role("button", name="Line 4").click()
    page.keyboard.insert_text("strict_mode: true")
    expect(page.get_by_text("No mistakes")).to_be_visible()
    page.get_by_label("Comment").fill("Größe 1: für den Anfang")
    page.get_by_role("button", name="Upload as version 1").click()
    expect(page.get_by_role("alert")).to_contain_text("Version 1 is stored.")
    stored = latest()
    assert stored is not None
    assert (stored.yaml, stored.comment) == (ORDERS, "Größe 1: für den Anfang")
    expect(page.get_by_role("region", name="History")).to_contain_text("Größe 1")


def test_the_editor_indents_undoes_and_lets_the_keyboard_out(page: Page) -> None:
    text = page.get_by_label("Configuration in YAML")
    text.focus()
    page.keyboard.type("a:")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("b: 1")
    page.keyboard.press("Enter")
    page.keyboard.type("c: 2")
    expect(text).to_have_value("a:\n  b: 1\n  c: 2")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.press("Tab")
    expect(text).to_have_value("  a:\n    b: 1\n    c: 2")
    page.keyboard.press("Shift+Tab")
    expect(text).to_have_value("a:\n  b: 1\n  c: 2")
    page.keyboard.press("ControlOrMeta+z")
    expect(text).to_have_value("  a:\n    b: 1\n    c: 2")
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(text).not_to_be_focused()
    expect(page.locator(".gutter span")).to_have_count(3)


def test_versions_are_compared_and_an_old_one_restored(page: Page, shop: Pipeline) -> None:
    engine = jobs.service()
    uploads.add(engine, ORDERS, "ann", "the first")
    uploads.add(engine, ORDERS.replace("orders", "sales"), "bob", "another table")
    page.reload()
    history = page.get_by_role("region", name="History")
    expect(history).to_contain_text("bob")
    history.get_by_role("button", name="Compare", exact=True).click()
    differences = page.get_by_role("region", name="Differences")
    expect(differences.locator(".removed")).to_contain_text("target: {table: orders}")
    expect(differences.locator(".added")).to_contain_text("target: {table: sales}")
    keep(page, "differences")
    page.keyboard.press("Escape")
    history.get_by_role("button", name="Restore version 1").click()
    page.get_by_role("dialog").get_by_role("button", name="Restore").click()
    expect(page.get_by_role("alert")).to_contain_text("Version 3 is what version 1 was.")
    expect(page.get_by_label("Configuration in YAML")).to_have_value(ORDERS)
    stored = latest()
    assert stored is not None
    assert (stored.version, stored.yaml) == (3, ORDERS)


def test_a_secret_written_out_is_moved_and_the_page_says_so(page: Page) -> None:
    text = ORDERS.replace("{table: orders}", "{table: orders, password: c4nary}")
    page.get_by_label("Configuration in YAML").fill(text)
    page.get_by_role("button", name="Upload as version 1").click()
    expect(page.get_by_role("alert")).to_contain_text("in the secret store now")
    expect(page.get_by_label("Configuration in YAML")).not_to_have_value(text)
    assert "c4nary" not in page.content() + page.get_by_label("Configuration in YAML").input_value()
    stored = latest()
    assert stored is not None
    (name,) = [part.split("}")[0] for part in stored.yaml.split("${secret:")[1:]]
    assert user_store().get(name) == "c4nary"


def test_a_preview_shows_rows_types_and_what_would_be_kept_out(page: Page, shop: Pipeline) -> None:
    shop.write("a.csv", "id,name\n1,Ada\n<b>x</b>,Alan\n3,\n")
    page.get_by_label("Configuration in YAML").fill(ORDERS)
    page.get_by_role("button", name="Preview the data").click()
    rows = page.get_by_role("table", name="First rows of local")
    expect(rows.get_by_role("row")).to_have_count(4)
    expect(rows).to_contain_text("id is not a whole number")
    expect(rows).to_contain_text("<b>x</b>")
    expect(rows).to_contain_text("NULL")
    expect(page.get_by_role("list", name="Columns of the table")).to_contain_text("id bigint")
    keep(page, "preview")
    page.get_by_label("Only rows that would be kept out").check()
    expect(rows.get_by_role("row")).to_have_count(2)
    assert latest() is None
    assert shop.query("select to_regclass('orders')") == [(None,)]


def test_a_draft_waits_while_the_reader_looks_elsewhere(page: Page) -> None:
    page.get_by_label("Configuration in YAML").fill(ORDERS)
    page.get_by_role("link", name="Runs", exact=True).click()
    expect(page.get_by_role("heading", name="Runs")).to_be_visible()
    page.get_by_role("link", name="Configuration").click()
    expect(page.get_by_label("Configuration in YAML")).to_have_value(ORDERS)
    expect(page.get_by_text("Draft, not stored")).to_be_visible()


def test_a_dropped_file_is_opened_and_one_that_undo_cannot_take_back_is_asked_for(
    page: Page,
) -> None:
    text = page.get_by_label("Configuration in YAML")
    drop(page, ORDERS)
    expect(text).to_have_value(ORDERS)
    expect(page.get_by_text("No mistakes")).to_be_visible()
    long = ORDERS + "#\n" * 400
    drop(page, long)
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(text).to_have_value(ORDERS)
    drop(page, long)
    page.get_by_role("dialog").get_by_role("button", name="Replace").click()
    expect(text).to_have_value(long)


def drop(page: Page, text: str) -> None:
    """Drop a file with the text on the editor."""
    data = page.evaluate_handle(
        "text => { const data = new DataTransfer();"
        " data.items.add(new File([text], 'pipeline.yaml')); return data; }",
        text,
    )
    page.get_by_label("Configuration in YAML").dispatch_event("drop", {"dataTransfer": data})


def test_a_text_that_was_not_checked_is_not_called_good(page: Page) -> None:
    text = page.get_by_label("Configuration in YAML")
    text.fill(ORDERS)
    expect(page.get_by_text("No mistakes")).to_be_visible()
    page.clock.install()
    page.context.set_offline(True)
    text.fill(WRONG)
    expect(page.get_by_text("Not checked.")).to_be_visible()
    expect(page.get_by_text("No mistakes")).to_have_count(0)
    page.context.set_offline(False)
    page.clock.fast_forward(5_000)
    expect(page.get_by_text("2 mistakes")).to_be_visible()


def test_a_draft_outlives_a_token_that_was_replaced(page: Page) -> None:
    page.get_by_label("Configuration in YAML").fill(ORDERS)
    expect(page.get_by_text("No mistakes")).to_be_visible()
    token = auth.make_token("admin", "admin")
    page.get_by_label("Configuration in YAML").fill(WRONG)
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_label("Configuration in YAML")).to_have_value(WRONG)


def test_a_draft_is_not_lost_without_a_warning(page: Page) -> None:
    text = page.get_by_label("Configuration in YAML")
    text.click()
    page.keyboard.insert_text(ORDERS)
    expect(page.get_by_text("A first draft, not stored yet.")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(text).to_have_value(ORDERS)
    assert warned(page) == ["beforeunload"]
    expect(page.get_by_text("Start from a template, open a file")).to_be_visible()
    assert warned(page) == []


def test_a_reader_who_signs_out_takes_the_draft_along(page: Page) -> None:
    page.get_by_label("Configuration in YAML").fill(ORDERS)
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("dialog").get_by_role("button", name="Sign out").click()
    page.get_by_label("Token").fill(auth.make_token("admin", "bob"))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_label("Configuration in YAML")).to_have_value("")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Token")).to_be_focused()


def test_a_draft_outlives_a_version_of_somebody_else(page: Page) -> None:
    text = page.get_by_label("Configuration in YAML")
    text.fill(WRONG)
    expect(page.get_by_text("2 mistakes")).to_be_visible()
    uploads.add(jobs.service(), ORDERS, "bob", "meanwhile")
    look_again(page)
    expect(page.get_by_text("Version 1 is there meanwhile.")).to_be_visible()
    expect(page.get_by_role("button", name="Upload as version 2")).to_be_visible()
    expect(text).to_have_value(WRONG)


def test_what_is_written_during_an_upload_stays_a_draft(page: Page) -> None:
    text = page.get_by_label("Configuration in YAML")
    text.fill(ORDERS)
    upload = page.get_by_role("button", name="Upload as version 1")
    deliver = held_back(page, "**/upload-config", upload.click)
    text.fill(ORDERS + "# more")
    deliver()
    expect(page.get_by_text("Draft, not stored; changed from version 1.")).to_be_visible()
    expect(text).to_have_value(ORDERS + "# more")


def test_a_verdict_on_an_earlier_text_that_comes_late_counts_for_nothing(page: Page) -> None:
    text = page.get_by_label("Configuration in YAML")
    asked: list[str] = []

    def first_late(route: Route) -> None:
        asked.append(route.request.post_data or "")
        if len(asked) > 1:
            route.continue_()

    page.route("**/validate-config", first_late)
    with page.expect_event("requestfailed"):
        with page.expect_request("**/validate-config"):
            text.fill(WRONG)
        text.fill(ORDERS)
    expect(page.get_by_text("No mistakes")).to_be_visible()
    assert asked == [WRONG, ORDERS]


def test_a_history_that_comes_late_does_not_hide_a_new_version(page: Page) -> None:
    uploads.add(jobs.service(), ORDERS, "ann")
    deliver = held_back(page, "**/configs?limit=20", lambda: look_again(page))
    page.get_by_label("Configuration in YAML").fill(ORDERS + "# two")
    page.get_by_role("button", name="Upload as version").click()
    newest = page.get_by_role("region", name="History").locator("li").first
    expect(newest).to_contain_text("Version 2")
    deliver()
    assert "Version 2" in newest.inner_text(), "before it is asked for again"


def test_all_of_many_versions_are_reached_and_only_the_newest_asked_for_again(
    page: Page, shop: Pipeline
) -> None:
    uploads.add(jobs.service(), ORDERS, "ann", "the first")
    shop.query(
        "insert into elt_service.configs (version, yaml, sha256, author, comment, upload_id)"
        " select n, yaml, sha256, author, 'no. ' || n, 'upload ' || n"
        " from elt_service.configs, generate_series(2, 230) n"
    )
    page.reload()
    versions = page.get_by_role("region", name="History").locator("li")
    older = page.get_by_role("button", name="Older versions")
    for shown in range(20, 230, 20):
        expect(versions).to_have_count(shown)
        older.click()
    expect(versions).to_have_count(230)
    expect(older).to_have_count(0)
    expect(versions.last).to_contain_text("the first")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    uploads.add(jobs.service(), ORDERS, "bob", "the newest")
    look_again(page)
    expect(versions).to_have_count(231)
    expect(versions.first).to_contain_text("the newest")
    assert set(asked) == {"configs?limit=20"}


def test_a_view_that_could_not_be_opened_is_shown_when_the_network_is_back(page: Page) -> None:
    page.get_by_role("link", name="Overview").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    page.context.set_offline(True)
    page.get_by_role("link", name="Configuration", exact=True).click()
    expect(page.get_by_role("heading", name="This cannot be shown")).to_be_visible()
    page.context.set_offline(False)
    expect(page.get_by_role("heading", name="Configuration")).to_be_visible()
    expect(page.get_by_label("Configuration in YAML")).to_be_visible()


def test_a_viewer_reads_why_no_version_can_be_restored(enter: Callable[..., Page]) -> None:
    for comment in ("one", "two"):
        uploads.add(jobs.service(), ORDERS, "ann", comment)
    page = enter("configuration", "operator")
    history = page.get_by_role("region", name="History")
    expect(history).to_contain_text("“Restore” needs an admin's token.")
    expect(history.get_by_role("button", name="Restore version 1")).to_be_disabled()
    expect(history.get_by_role("button", name="Open version 1")).to_be_enabled()
