"""The sample API wants its token, answers in pages and filters by time."""

import pytest
import requests

from dev.sample_api import make_records, sample_api

HEADERS = {"Authorization": "Bearer open-sesame"}


@pytest.fixture(scope="module")
def url():
    with sample_api("open-sesame") as base:
        yield f"{base}/v1/orders"


def get(url, **params):
    return requests.get(url, params=params, headers=HEADERS, timeout=5)


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer other"}])
def test_without_the_token_the_answer_is_401_in_json(url, headers):
    answer = requests.get(url, headers=headers, timeout=5)
    assert answer.status_code == 401
    assert "token" in answer.json()["error"]


def test_pages_cover_all_records_once(url):
    pages = [get(url, page=page, per_page=100).json() for page in (1, 2, 3, 4)]
    assert [len(page["data"]) for page in pages] == [100, 100, 30, 0]
    assert [page["page"] for page in pages] == [1, 2, 3, 4]
    assert {page["total"] for page in pages} == {230}
    assert [record for page in pages for record in page["data"]] == make_records()


def test_records_are_sorted_by_their_update(url):
    times = [record["updated_at"] for record in get(url, per_page=200).json()["data"]]
    assert times == sorted(times)


def test_since_includes_the_moment_itself(url):
    last = make_records()[-1]["updated_at"]
    answer = get(url, since=last).json()
    assert answer["total"] == 2
    assert {record["updated_at"] for record in answer["data"]} == {last}


def test_since_understands_other_zones_and_dates_alone(url):
    last = make_records()[-1]["updated_at"]
    assert get(url, since=last.replace("Z", "+00:00")).json()["total"] == 2
    assert get(url, since="2026-01-01").json()["total"] == 230
    assert get(url, since="2027-01-01").json()["data"] == []


@pytest.mark.parametrize(
    "query", [{"page": "0"}, {"per_page": "many"}, {"per_page": "5000"}, {"since": "yesterday"}]
)
def test_a_parameter_that_makes_no_sense_is_400(url, query):
    answer = get(url, **query)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_other_paths_are_404(url):
    assert get(f"{url}/17").status_code == 404


def test_order_numbers_are_unique():
    numbers = [record["order"]["number"] for record in make_records()]
    assert len(set(numbers)) == 230
    assert all(number.startswith("A-4") for number in numbers)


def test_a_server_of_ones_own_records():
    with sample_api("t", [{"updated_at": "2026-01-01T00:00:00Z", "n": 1}]) as base:
        answer = requests.get(f"{base}/v1/orders", headers={"Authorization": "Bearer t"}, timeout=5)
    assert answer.json()["data"] == [{"updated_at": "2026-01-01T00:00:00Z", "n": 1}]
