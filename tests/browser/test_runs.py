"""Runs: started, watched, cancelled, read, mended."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from chalicelib import auth, jobs, uploads
from chalicelib.history import runs
from chalicelib.history.records import NewRun
from tests.browser.configs import ORDERS
from tests.browser.conftest import held_back, keep, look_again, run_now, warned, watch
from tests.pipelines import Pipeline

SLOW = (
    "create table orders (id bigint, name text)",
    "create function dawdle() returns trigger language plpgsql as"
    " $$ begin perform pg_sleep(0.05); return new; end $$",
    "create trigger slow before insert on orders for each row execute function dawdle()",
)


@pytest.fixture
def page(enter: Callable[..., Page], shop: Pipeline) -> Page:
    uploads.add(jobs.service(), ORDERS, "test")
    return enter("runs")


def test_a_run_is_started_and_watched_to_its_end(page: Page, shop: Pipeline) -> None:
    shop.write("a.csv", "id;name\n" + "".join(f"{n};Ada\n" for n in range(1_234)))
    expect(page.get_by_role("heading", name="There was no run yet")).to_be_visible()
    keep(page, "runs-empty")
    run_now(page)
    expect(page.get_by_role("region", name="Rows", exact=True)).to_contain_text("1,234")
    files = page.get_by_role("table", name="Files of local")
    expect(files.get_by_role("row", name="a.csv")).to_contain_text("delimiter semicolon")
    expect(page.get_by_role("region", name="Time of each step")).to_contain_text("validate")
    assert downloaded(page, "Download the combined CSV").startswith("id,name\n0,Ada\n")
    page.get_by_role("link", name="Runs", exact=True).click()
    expect(page.get_by_role("table", name="Runs").get_by_role("row")).to_have_count(2)
    keep(page, "runs")


def test_a_run_at_work_shows_its_progress_and_can_be_cancelled(page: Page, shop: Pipeline) -> None:
    for statement in SLOW:
        shop.query(statement)
    shop.write("a.csv", "id,name\n" + "".join(f"{n},Ada\n" for n in range(2_000)))
    page.get_by_role("button", name="Run now").click()
    progress = page.get_by_role("region", name="Progress")
    expect(progress).to_contain_text("2,000 rows")
    expect(progress.get_by_role("progressbar")).to_be_visible()
    keep(page, "run-at-work")
    page.get_by_role("link", name="Overview").click()
    expect(page.get_by_role("heading", name="At work now")).to_be_visible()
    page.get_by_role("button", name="Run now").click()
    expect(page.get_by_role("alert")).to_contain_text("is not over yet")
    page.get_by_role("alert").get_by_role("link").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("h1 + .facts")).to_contain_text("cancelled")
    expect(page.get_by_text("Nothing of this run was loaded.")).to_be_visible()
    assert shop.rows == []


def test_a_failure_is_told_in_plain_words_and_resumed(page: Page, shop: Pipeline) -> None:
    broken = shop.write("a.csv", "id,id\n")
    run_now(page, ends="failed")
    expect(page.get_by_role("region", name="Why it failed")).to_contain_text("a.csv line 1")
    keep(page, "run-failed")
    broken.write_text("id,name\n1,Ada\n")
    page.get_by_role("button", name="Resume").click()
    watch(page)
    assert shop.rows == [(1, "Ada")]


def test_rejects_are_filtered_corrected_and_loaded_again(page: Page, shop: Pipeline) -> None:
    shop.write("a.csv", "id,name\n1,Ada\nzwei,Alan\n,Grace\n<i>4</i>,Eve\n5\n")
    run_now(page)
    rows = page.get_by_role("table", name="Rows kept out").get_by_role("row")
    expect(rows).to_have_count(5)
    keep(page, "run-rejects")
    page.get_by_label("Column", exact=True).select_option("whole row (1)")
    expect(rows).to_have_count(2)
    expect(rows.last).to_contain_text("has 1 fields where the header has 2")
    page.get_by_label("Column", exact=True).select_option("all")
    page.get_by_label("Reason").select_option("is required (1)")
    expect(rows).to_have_count(2)
    page.get_by_label("Reason").select_option("all")
    page.get_by_role("button", name="Correct line 3 of a.csv").click()
    keep(page, "correction")
    page.get_by_label("id", exact=True).fill("2")
    page.get_by_role("button", name="Keep the correction").click()
    page.get_by_role("button", name="Load 4 rows again, 1 corrected").click()
    expect(page.get_by_text("replays an earlier run")).to_be_visible()
    watch(page)
    assert shop.rows == [(1, "Ada"), (2, "Alan")]
    expect(page.get_by_role("definition").first).to_have_text("4")
    expect(page.get_by_role("region", name="Rows", exact=True)).to_contain_text("quarantined3")


def test_rejects_are_downloaded_as_they_are_filtered(page: Page, shop: Pipeline) -> None:
    shop.write("a.csv", "id,name\nx,Alan\n,Grace\n")
    run_now(page)
    assert re.findall("Alan|Grace", downloaded(page)) == ["Alan", "Grace"]
    page.get_by_label("Reason").select_option("is required (1)")
    assert re.findall("Alan|Grace", downloaded(page)) == ["Grace"]


def downloaded(page: Page, button: str = "Download as CSV") -> str:
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    return download.value.path().read_text()


def test_everything_is_loaded_anew_after_a_question(page: Page, shop: Pipeline) -> None:
    shop.write("a.csv", "id,name\n1,Ada\n")
    run_now(page)
    page.get_by_role("link", name="Runs", exact=True).click()
    page.get_by_role("button", name="Full reload").click()
    page.get_by_role("button", name="Cancel").click()
    assert len(runs.page(jobs.service())) == 1
    page.get_by_role("button", name="Full reload").click()
    page.get_by_role("button", name="Load everything").click()
    expect(page.get_by_text("full reload")).to_be_visible()
    watch(page)
    assert shop.rows == [(1, "Ada")]


def test_times_are_told_in_the_reader_s_zone(page: Page, shop: Pipeline) -> None:
    run_now(page)
    run = runs.page(jobs.service())[0]
    shop.query(
        f"update elt_service.runs set created_at = '2026-01-31T20:30:00Z' where id = '{run.id}'"
    )
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Feb 1.*5:30 AM"))


def test_runs_are_filtered_and_older_ones_fetched(page: Page, shop: Pipeline) -> None:
    run_now(page)
    shop.query(
        "insert into elt_service.runs (id, state, trigger, actor, created_at) select 'old-' || n,"
        " 'skipped', 'schedule', 'schedule', now() - n * interval '1 hour'"
        " from generate_series(1, 60) n"
    )
    page.get_by_role("link", name="Runs", exact=True).click()
    rows = page.get_by_role("table", name="Runs").locator("tbody tr")
    expect(rows).to_have_count(50)
    page.get_by_role("button", name="Older runs").click()
    expect(rows).to_have_count(61)
    page.get_by_label("State").select_option("succeeded")
    expect(rows).to_have_count(1)
    page.get_by_label("Started by").select_option("replay")
    expect(page.get_by_role("heading", name="No such run")).to_be_visible()


def test_what_a_report_counts_repaired_and_checked_is_shown_by_its_name(
    page: Page, shop: Pipeline
) -> None:
    shop.write("a.csv", "id,name\n1,Ada\n")
    run_now(page)
    repaired = '{"stray quotes": {"count": 12345, "lines": [7, 9]}}'
    shop.query(
        "update elt_service.runs set updated = 1200300, result = result::jsonb"
        ' || \'{"nulled": 7,'
        ' "checks": [{"name": "no doubles", "passed": false, "detail": "3 found"}]}\''
    )
    shop.query(
        "update elt_service.runs set result = jsonb_set(result::jsonb,"
        f" '{{sources,0,files,a.csv,repaired}}', '{repaired}')"
    )
    page.reload()
    figures = page.get_by_role("region", name="Rows", exact=True)
    expect(figures).to_contain_text("updated1,200,300")
    expect(figures).to_contain_text("values set to NULL7")
    files = page.get_by_role("table", name="Files of local")
    expect(files).to_contain_text("repaired stray quotes 12,345 times, on line 7, 9")
    checks = page.get_by_role("region", name="Checks").first
    expect(checks).to_contain_text("no doubles✕ no3 found")


def test_a_malformed_row_is_kept_out_until_something_is_typed(page: Page, shop: Pipeline) -> None:
    shop.write("a.csv", "id,name\n1,Ada\n5,b,c\n")
    run_now(page)
    page.get_by_role("button", name="Correct line 3 of a.csv").click()
    expect(page.get_by_role("dialog")).to_contain_text("5,b,c")
    keep = page.get_by_role("button", name="Keep the correction")
    expect(keep).to_be_disabled()
    page.get_by_label("id", exact=True).press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.get_by_label("id", exact=True).fill("5")
    expect(page.get_by_label("id is NULL")).not_to_be_checked()
    page.get_by_label("id", exact=True).press("Enter")
    page.get_by_role("button", name="Load 1 row again, 1 corrected").click()
    expect(page.get_by_text("replays an earlier run")).to_be_visible()
    watch(page)
    assert shop.rows == [(1, "Ada"), (5, None)]


def test_a_malformed_row_whose_columns_nobody_knows_is_only_shown(
    page: Page, shop: Pipeline
) -> None:
    shop.write("a.csv", "id,name\n1,Ada\n5,b,c\n3,Grace\n")
    run_now(page)
    shop.query("update elt.rejects set columns = null")
    page.reload()
    page.get_by_role("button", name="Correct line 3 of a.csv").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Its columns are not known here")
    expect(dialog.get_by_role("button")).to_have_text(["Close"])


def test_a_correction_leaves_the_fields_that_were_not_touched_as_they_are(
    page: Page, shop: Pipeline
) -> None:
    shop.write("a.csv", 'id,name\nx,"a\r\nb"\ny,"c\rd"\nz,Eve\n')
    run_now(page)
    for number in (1, 2, 3):
        page.get_by_role("button", name="Correct line").first.click()
        page.get_by_label("id", exact=True).fill(str(number))
        if number == 3:
            page.get_by_label("name is NULL").check()
        page.get_by_role("button", name="Keep the correction").click()
        expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Load 3 rows again, 3 corrected").click()
    expect(page.get_by_text("replays an earlier run")).to_be_visible()
    watch(page)
    assert shop.rows == [(1, "a\r\nb"), (2, "c\rd"), (3, None)]


def test_a_correction_waits_and_is_not_lost_without_a_warning(page: Page, shop: Pipeline) -> None:
    shop.write("a.csv", "id,name\nx,Ada\n")
    run_now(page)
    page.get_by_role("button", name="Correct line 2 of a.csv").click()
    page.get_by_label("id", exact=True).fill("1")
    page.get_by_role("button", name="Keep the correction").click()
    assert "Ada" in downloaded(page), "to save a file is not to leave"
    page.get_by_role("link", name="Overview").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("button", name="Load 1 row again, 1 corrected")).to_be_visible()
    assert warned(page) == ["beforeunload"]
    expect(page.get_by_role("button", name="Load 1 row again", exact=True)).to_be_visible()
    assert warned(page) == []


def test_a_dialog_goes_with_its_view(page: Page, shop: Pipeline) -> None:
    shop.write("a.csv", "id,name\nx,Ada\n")
    run_now(page)
    page.get_by_role("button", name="Correct line 2 of a.csv").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Runs")).to_be_visible()
    expect(page.locator("dialog")).to_have_count(0)
    page.get_by_role("button", name="Full reload").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    auth.make_token("admin", "admin")
    look_again(page)
    expect(page.get_by_label("Token")).to_be_focused()
    expect(page.locator("dialog")).to_have_count(0)


def test_rejects_of_an_earlier_choice_that_come_late_are_not_shown(
    page: Page, shop: Pipeline
) -> None:
    shop.write("a.csv", "id,name\nx,Alan\n,Grace\n")
    run_now(page)
    rows = page.get_by_role("table", name="Rows kept out").locator("tbody tr")
    expect(rows).to_have_count(2)
    reason = page.get_by_label("Reason")
    deliver = held_back(page, "**/rejects?*", lambda: reason.select_option(index=1))
    reason.select_option(index=2)
    expect(rows).to_have_count(1)
    chosen = rows.inner_text()
    deliver()
    assert [row.inner_text() for row in rows.all()] == [chosen]


def test_runs_of_an_earlier_choice_that_come_late_are_not_shown(page: Page, shop: Pipeline) -> None:
    run_now(page)
    page.get_by_role("link", name="Runs", exact=True).click()
    rows = page.get_by_role("table", name="Runs").locator("tbody tr")
    expect(rows).to_have_count(1)
    state = page.get_by_label("State")
    deliver = held_back(page, "**/runs?*state=failed*", lambda: state.select_option("failed"))
    with page.expect_response("**/runs?*state=succeeded*"):
        state.select_option("succeeded")
    deliver()
    assert [row.locator(".state").inner_text() for row in rows.all()] == ["✓\nsucceeded"]


def test_of_many_runs_only_the_newest_are_asked_for_again(page: Page, shop: Pipeline) -> None:
    for state, start, number in (("skipped", 0, 60), ("running", 60, 1)):
        shop.query(
            "insert into elt_service.runs (id, state, trigger, actor, created_at, lease_until)"
            f" select 'old-' || {start} + n, '{state}', 'schedule', 'schedule',"
            f" now() - ({start} + n) * interval '1 hour', now() + interval '1 hour'"
            f" from generate_series(1, {number}) n"
        )
    page.reload()
    rows = page.get_by_role("table", name="Runs").locator("tbody tr")
    expect(rows).to_have_count(50)
    page.get_by_role("button", name="Older runs").click()
    expect(rows).to_have_count(61)
    expect(rows.last).to_contain_text("running")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    shop.query("update elt_service.runs set state = 'failed' where state = 'running'")
    shop.query(
        "insert into elt_service.runs (id, state, trigger, actor) values"
        " ('new', 'skipped', 'schedule', 'schedule')"
    )
    look_again(page)
    expect(rows).to_have_count(62)
    expect(rows.last).to_contain_text("failed")
    assert set(asked) == {"runs?limit=50", "old-61"}


def test_a_viewer_reads_why_rows_cannot_be_corrected(
    enter: Callable[..., Page], shop: Pipeline
) -> None:
    uploads.add(jobs.service(), ORDERS, "test")
    shop.write("a.csv", "id,name\nx,Ada\n")
    run = jobs.trigger(jobs.service(), NewRun("api", "ann"))
    page = enter(f"runs/{run.id}", "viewer")
    expect(page.get_by_text("“Correct” needs an operator's token.")).to_be_visible()
    correct = page.get_by_role("button", name="Correct line 2")
    expect(correct).to_be_disabled()
    expect(correct).to_have_attribute("title", "needs an operator's token")
    replay = page.get_by_role("button", name="Load 1 row again")
    expect(replay).to_have_accessible_description("needs an operator's token")
    page.get_by_role("button", name="Download as CSV").wait_for()
