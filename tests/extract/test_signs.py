"""No first page of a known API is taken for all of its list."""

from __future__ import annotations

import pytest

from tests.extract.server import failure, numbers, ok, reader, rows

RECORDS = {"data": [{"id": 1}]}

FOLLOWED = {
    "Salesforce": (
        {"totalSize": 2, "done": False, "nextRecordsUrl": "/services/data/v59.0/query/01g-2000"},
        "$.nextRecordsUrl",
    ),
    "Twilio": ({"page": 0, "next_page_uri": "/2010/Calls.json?Page=1"}, "$.next_page_uri"),
    "HubSpot": (
        {"paging": {"next": {"after": "NTI1", "link": "/crm/v3/contacts?after=NTI1"}}},
        "$.paging.next.link",
    ),
    "Intercom, of old": ({"pages": {"next": "/users?page=2", "page": 1}}, "$.pages.next"),
    "OData 2": ({"d": {"__next": "/Orders?$skiptoken=2"}}, "$.d.__next"),
    "Microsoft Graph": ({"@odata.nextLink": "/me/messages?$skip=10"}, "$['@odata.nextLink']"),
}


@pytest.mark.parametrize(("more", "path"), FOLLOWED.values(), ids=FOLLOWED)
def test_auto_follows_the_url_that_an_api_gives(serve, more, path):
    def answer(request):
        return ok({**RECORDS, **more} if request.path == "/v1/orders" else {"data": [{"id": 2}]})

    url, _ = serve(answer)
    source = reader(url, records="$.data")
    assert [row["id"] for row in rows(source)] == ["1", "2"]
    assert source.report.files[url].detected["pagination"] == f"next_url at {path}"


REFUSED = {
    "HubSpot": ({"paging": {"next": {"after": "NTI1"}}}, "$.paging.next", "cursor"),
    "Salesforce": ({"totalSize": 9000, "done": False}, "$.done", "page"),
    "Airtable": ({"offset": "itrXb/recA"}, "$.offset", "cursor"),
    "AWS": ({"NextToken": "AAMA=="}, "$.NextToken", "cursor"),
    "AWS with a slash": ({"NextToken": "/AMA=="}, "$.NextToken", "cursor"),
    "AWS IAM": ({"IsTruncated": True, "Marker": "x"}, "$.IsTruncated", "page"),
    "S3": ({"IsTruncated": "true"}, "$.IsTruncated", "page"),
    "DynamoDB": ({"LastEvaluatedKey": {"id": {"S": "7"}}}, "$.LastEvaluatedKey", "cursor"),
    "Square": ({"cursor": "CiQ4"}, "$.cursor", "cursor"),
    "Azure": ({"continuationToken": "xyz"}, "$.continuationToken", "cursor"),
    "Elasticsearch": ({"_scroll_id": "DXF1"}, "$._scroll_id", "cursor"),
    "a scroll": ({"scroll_id": "DXF1"}, "$.scroll_id", "cursor"),
    "Intercom": (
        {"pages": {"type": "pages", "page": 1, "next": {"page": 2, "starting_after": "WzE3"}}},
        "$.pages.next",
        "cursor",
    ),
    "Jira": ({"startAt": 0, "maxResults": 50, "isLast": False}, "$.isLast", "page"),
    "Spring": ({"last": False, "first": True, "number": 0}, "$.last", "page"),
    "Spring HATEOAS": (
        {"page": {"size": 20, "number": 0, "totalPages": 3}}, "$.page.totalPages", "page",
    ),
    "Bitbucket": ({"isLastPage": False, "nextPageStart": 25}, "$.isLastPage", "page"),
    "Reddit": ({"kind": "Listing", "after": "t3_15bfi0"}, "$.after", "cursor"),
    "Slack": ({"response_metadata": {"next_cursor": "dXN"}}, "$.response_metadata.next_cursor",
              "cursor"),
    "Google": ({"nextPageToken": "CAUQ"}, "$.nextPageToken", "cursor"),
    "Algolia": ({"page": 0, "nbPages": 4}, "$.nbPages", "page"),
    "FHIR": (
        {"link": [{"relation": "self", "url": "/a"}, {"relation": "next", "url": "/a?p=2"}]},
        "$.link[1]",
        "page",
    ),
    "a number of pages": ({"pages": 9}, "$.pages", "page"),
    "a number of pages as text": ({"pages": "9"}, "$.pages", "page"),
    "an odd key": ({"has-more.items": True}, "$['has-more.items']", "page"),
}  # fmt: skip


@pytest.mark.parametrize(("more", "sign", "kind"), REFUSED.values(), ids=REFUSED)
def test_auto_refuses_a_first_page_by_what_tells_that_there_is_more(serve, more, sign, kind):
    url, seen = serve(lambda _: ok({**RECORDS, **more}))
    message = failure(url, records="$.data")
    assert f"there are more records, as {sign} tells" in message
    assert f"Set pagination.type to {kind}" in message
    assert len(seen) == 1
    assert rows(reader(url, records="$.data", pagination={"type": "none"})) == [{"id": "1"}]


TOTALS = {
    "CouchDB": ({"total_rows": 99, "offset": 0}, "$.total_rows is 99"),
    "text": ({"total": "250"}, "$.total is 250"),
    "OData": ({"@odata.count": 1250}, "$['@odata.count'] is 1,250"),
    "Solr": ({"response": {"numFound": 30}}, "$.response.numFound is 30"),
    "Elasticsearch": ({"hits": {"total": 30}}, "$.hits.total is 30"),
}


@pytest.mark.parametrize(("more", "what"), TOTALS.values(), ids=TOTALS)
def test_auto_doubts_a_page_that_is_less_than_any_total(serve, more, what):
    url, _ = serve(lambda _: ok({**RECORDS, **more}))
    source = reader(url, records="$.data")
    assert rows(source) == [{"id": "1"}]
    (warning,) = source.report.warnings
    assert warning.startswith(f"{url}: {what}, and 1 records came")


ENDS = {
    "HubSpot": {},
    "Salesforce": {"totalSize": 1, "done": True},
    "Square": {"cursor": ""},
    "AWS": {"IsTruncated": False, "NextToken": None},
    "Twitter, of old": {"next_cursor": 0, "next_cursor_str": "0", "previous_cursor": 12},
    "Dropbox": {"cursor": "AAE", "has_more": False},
    "Relay": {"pageInfo": {"hasNextPage": False, "startCursor": "YQ", "endCursor": "Yg"}},
    "Facebook": {"paging": {"cursors": {"before": "MTAx", "after": "NDMy"}}},
    "Google Calendar": {"nextSyncToken": "CPDA", "accessRole": "owner"},
    "Jira": {"startAt": 0, "isLast": True, "total": 1},
    "Spring": {"last": True, "first": True, "totalPages": 1, "totalElements": 1, "number": 0},
    "Bitbucket": {"isLastPage": True, "nextPageStart": None},
    "Laravel": {"meta": {"current_page": 1, "last_page": 1, "total": 1}, "links": {"next": None}},
    "Airtable's echo of a number": {"offset": 0, "limit": 100},
    "an echo as text": {"offset": "0", "page": "1"},
    "JSON:API": {"links": {"self": "/v1", "last": "/v1?page=1", "next": {"href": None}}},
}


@pytest.mark.parametrize("more", ENDS.values(), ids=ENDS)
def test_auto_takes_the_only_page_of_a_known_api(serve, more):
    url, seen = serve(lambda _: ok({**RECORDS, **more}))
    source = reader(url, records="$.data")
    assert rows(source) == [{"id": "1"}]
    assert source.report.warnings == []
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (numbers(3), "none: one answer, which tells nothing of pages"),
        ({"data": numbers(3), "at": "noon"}, "none: one answer, which tells nothing of pages"),
        ({"data": numbers(3), "next": None}, "none"),
    ],
)
def test_auto_says_that_it_read_one_answer_and_why(serve, body, found):
    url, _ = serve(lambda _: ok(body))
    source = reader(url)
    rows(source)
    assert source.report.files[url].detected["pagination"] == found
