"""Somebody who has never seen the project: from the sign-in to loaded rows, by the page alone."""

from __future__ import annotations

import boto3
from playwright.sync_api import Page, expect

from chalicelib import auth
from tests.browser.conftest import keep, watch
from tests.pipelines import Pipeline


def test_from_the_sign_in_to_loaded_rows(blank: Page, shop: Pipeline, bucket: str) -> None:
    orders = b"order_id;amount\nA-1;12.50\nA-2;7\n"
    boto3.client("s3").put_object(Bucket=bucket, Key="orders/january.csv", Body=orders)
    page = blank
    page.goto("/")
    page.get_by_label("Token").fill(auth.make_token("admin", "newcomer"))
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Write the configuration").click()
    expect(page.get_by_role("heading", name="Where do your rows come from?")).to_be_visible()
    keep(page, "configuration-empty")
    page.get_by_role("button", name="Files in S3").click()
    text = page.get_by_label("Configuration in YAML")
    expect(page.get_by_text("No mistakes")).to_be_visible()
    text.fill(text.input_value().replace("my-bucket", bucket))
    page.get_by_role("button", name="Preview the data").click()
    expect(page.get_by_text("All 2 rows would be loaded.")).to_be_visible()
    page.get_by_label("Comment").fill("our orders")
    page.get_by_role("button", name="Upload as version 1").click()
    page.get_by_role("alert").get_by_role("button", name="Run now").click()
    watch(page)
    expect(page.get_by_role("region", name="Rows", exact=True)).to_contain_text("sales.orders")
    assert [row[0] for row in shop.query("select * from sales.orders order by 1")] == ["A-1", "A-2"]
    page.get_by_role("link", name="Overview").click()
    page.get_by_role("switch", name="Schedule").click()
    expect(page.get_by_role("switch", name="Schedule")).to_be_checked()
