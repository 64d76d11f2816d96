"""Every family of pages is read to its end, and a list without end is noticed."""

from __future__ import annotations

import pytest

from tests.extract.server import failure, numbers, ok, reader, rows


def ids(source):
    return [int(row["id"]) for row in rows(source)]


def by_offset(count, cap=1000, **more):
    """Answers `offset` and `limit`."""

    def answer(request):
        start = int(request.query["offset"])
        size = min(int(request.query.get("limit", cap)), cap)
        return ok({"data": numbers(count)[start : start + size], **more})

    return answer


def by_cursor(*pages):
    """Answers `cursor`: a to the second page, b to the third."""

    def answer(request):
        at = "_abc".index(request.query.get("cursor", "_"))
        more = "_abc"[at + 1] if at + 1 < len(pages) else None
        return ok({"data": pages[at], "next_cursor": more})

    return answer


def linked(lead):
    """Three pages of two records; `lead(url)` makes the answer that leads to the next."""

    def answer(request):
        page = int(request.query.get("page", 1))
        records = numbers(6)[page * 2 - 2 : page * 2]
        return lead(records, f"/v1/orders?page={page + 1}&size=2" if page < 3 else None)

    return answer


# none


def test_none_reads_the_first_answer_alone(serve):
    url, seen = serve(linked(lambda records, url: ok({"data": records, "next": url})))
    assert ids(reader(url, pagination={"type": "none"})) == [1, 2]
    assert len(seen) == 1


# page


@pytest.mark.parametrize(("first", "asked"), [(0, ["0", "1", "2"]), (1, ["1", "2", "3"])])
def test_pages_are_counted_from_the_first(serve, first, asked):
    def answer(request):
        page = int(request.query["page"]) - first
        return ok(numbers(4)[page * 2 : page * 2 + 2])

    url, seen = serve(answer)
    assert ids(reader(url, pagination={"type": "page", "first_page": first})) == [1, 2, 3, 4]
    assert [request.query["page"] for request in seen] == asked


def test_the_number_of_pages_ends_a_list_whose_last_page_comes_again(serve):
    def answer(request):
        page = min(int(request.query["page"]), 2)
        return ok({"data": numbers(4)[page * 2 - 2 : page * 2], "meta": {"pages": 2}})

    url, seen = serve(answer)
    assert "page 3 repeats page 2" in failure(url, pagination={"type": "page"})
    known = {"type": "page", "total_path": "$.meta.pages"}
    assert ids(reader(url, pagination=known)) == [1, 2, 3, 4]
    assert len(seen) == 3 + 2


def test_a_short_page_in_the_middle_is_not_the_end(serve):
    """The server cuts its list into pages, and then leaves out what may not be seen."""

    def answer(request):
        page = int(request.query["page"])
        records = numbers(12)[page * 3 - 3 : page * 3]
        return ok([record for record in records if record["id"] != 5])

    url, seen = serve(answer)
    source = reader(url, pagination={"type": "page", "size_param": "size", "size": 3})
    assert ids(source) == [1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12]
    assert len(seen) == 5


@pytest.mark.parametrize(
    ("total", "what"),
    [
        ("many", "$.meta.pages is a text, not a number"),
        (None, "$.meta.pages is null, not a number"),
    ],
)
def test_a_total_that_is_none_is_refused(serve, total, what):
    url, _ = serve(lambda _: ok({"data": numbers(1), "meta": {"pages": total}}))
    assert what in failure(url, pagination={"type": "page", "total_path": "$.meta.pages"})


# offset


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        ({"limit": 3}, ["0", "3", "6", "7"]),
        ({"limit": 500}, ["0", "4", "7"]),
        ({"limit": 3, "total_path": "$.total"}, ["0", "3", "6"]),
        ({"limit_param": None}, ["0", "4", "7"]),
    ],
)
def test_offsets_go_on_from_what_came(serve, options, asked):
    url, seen = serve(by_offset(7, cap=4, total=7))
    assert ids(reader(url, pagination={"type": "offset", **options})) == [1, 2, 3, 4, 5, 6, 7]
    assert [request.query["offset"] for request in seen] == asked


# cursor


def test_a_cursor_leads_to_the_next_page(serve):
    url, seen = serve(by_cursor([{"id": 1}], [{"id": 2}], [{"id": 3}]))
    source = reader(
        url, params={"limit": 1}, pagination={"type": "cursor", "cursor_path": "$.next_cursor"}
    )
    assert ids(source) == [1, 2, 3]
    assert [request.query.get("cursor") for request in seen] == [None, "a", "b"]
    assert {request.query["limit"] for request in seen} == {"1"}


def test_an_empty_page_with_a_cursor_is_not_the_end(serve):
    url, _ = serve(by_cursor([{"id": 1}], [], [], [{"id": 3}]))
    assert ids(reader(url, pagination={"type": "cursor", "cursor_path": "$.next_cursor"})) == [1, 3]


def test_the_id_of_the_last_record_may_be_the_cursor(serve):
    def answer(request):
        after = int(request.query.get("starting_after", 0))
        return ok({"data": numbers(5)[after : after + 2]})

    url, seen = serve(answer)
    by_id = {"type": "cursor", "cursor_path": "$.data[-1].id", "cursor_param": "starting_after"}
    assert ids(reader(url, pagination=by_id)) == [1, 2, 3, 4, 5]
    assert len(seen) == 4


def test_a_cursor_that_is_none_is_refused(serve):
    url, _ = serve(lambda _: ok({"data": numbers(1), "next": {"a": 1}}))
    message = failure(url, pagination={"type": "cursor", "cursor_path": "$.next"})
    assert "$.next is an object, not a cursor. Correct pagination.cursor_path" in message


LED = {
    "cursor": {"type": "cursor", "cursor_path": "$.meta.nxt_cursor"},
    "next_url": {"type": "next_url", "next_url_path": "$.meta.nxt_cursor"},
}


@pytest.mark.parametrize("pagination", LED.values(), ids=LED)
@pytest.mark.parametrize(
    ("more", "sign"),
    [
        ({"meta": {"next_cursor": "a"}}, "$.meta.next_cursor"),
        ({"has_more": True}, "$.has_more"),
        ({"meta": {"pages": 4}}, "$.meta.pages"),
    ],
)
def test_a_mistyped_path_to_the_next_page_is_refused(serve, pagination, more, sign):
    url, _ = serve(lambda _: ok({"data": numbers(2), **more}))
    message = failure(url, records="$.data", pagination=pagination)
    assert f"nothing at $.meta.nxt_cursor, and there are more records, as {sign} tells" in message
    assert "Correct pagination." in message


@pytest.mark.parametrize("pagination", LED.values(), ids=LED)
@pytest.mark.parametrize(
    ("more", "doubts"),
    [
        ({}, 1),
        ({"meta": {"continue_at": "a"}}, 1),
        ({"meta": {"nxt_cursor": None}}, 0),
        ({"meta": None}, 0),
        ({"has_more": False}, 0),
    ],
)
def test_a_first_page_without_the_key_is_the_end_and_a_warning(serve, pagination, more, doubts):
    url, _ = serve(lambda _: ok({"data": numbers(2), **more}))
    source = reader(url, records="$.data", pagination=pagination)
    assert ids(source) == [1, 2]
    warnings = source.report.warnings
    assert len(warnings) == doubts
    assert all("nothing at $.meta.nxt_cursor, which was taken for the end" in w for w in warnings)


def test_a_last_page_may_lack_the_key(serve):
    def answer(request):
        return ok({"data": [{"id": 2}]} if request.query else {"data": [{"id": 1}], "next": "a"})

    url, _ = serve(answer)
    source = reader(url, pagination={"type": "cursor", "cursor_path": "$.next"})
    assert ids(source) == [1, 2]
    assert source.report.warnings == []


@pytest.mark.parametrize("flag", [{"has_more": True}, {"meta": {"isLast": False}}])
@pytest.mark.parametrize(
    "pagination",
    [
        {"type": "cursor", "cursor_path": "$.next"},
        {"type": "next_url"},
        {"type": "link_header"},
        {"type": "page", "total_path": "$.pages"},
        {"type": "offset", "total_path": "$.pages"},
    ],
    ids=lambda pagination: pagination["type"],
)
def test_a_list_does_not_end_where_the_answer_says_that_it_goes_on(serve, pagination, flag):
    url, _ = serve(lambda _: ok({"data": numbers(1), "pages": 1, "next": None, **flag}))
    path = "$.has_more" if "has_more" in flag else "$.meta.isLast"
    message = failure(url, records="$.data", pagination=pagination)
    assert f"nothing leads on from here, though there are more records, as {path} tells" in message


@pytest.mark.parametrize("total", [0, -1, "0"])
@pytest.mark.parametrize("kind", ["page", "offset"])
def test_a_total_of_less_than_came_is_refused(serve, kind, total):
    url, _ = serve(lambda _: ok({"data": numbers(2), "total": total}))
    message = failure(url, records="$.data", pagination={"type": kind, "total_path": "$.total"})
    assert "$.total is " in message
    assert "Correct pagination.total_path" in message


@pytest.mark.parametrize(("kind", "at"), [("page", 2), ("offset", 2)])
def test_an_empty_page_before_the_total_is_the_end_and_a_warning(serve, kind, at):
    def answer(request):
        is_first = request.query.get("page") == "1" or request.query.get("offset") == "0"
        return ok({"data": numbers(2) if is_first else [], "total": 9})

    url, _ = serve(answer)
    source = reader(url, records="$.data", pagination={"type": kind, "total_path": "$.total"})
    assert ids(source) == [1, 2]
    (warning,) = source.report.warnings
    assert warning.endswith(f"though $.total is 9 and the list was at {at}")


def test_a_record_that_an_insert_brings_twice_is_told(serve):
    def answer(request):
        page, inserted = int(request.query["page"]), [{"id": 0}]
        records = numbers(6) if page == 1 else inserted + numbers(6)
        return ok(records[page * 3 - 3 : page * 3])

    url, _ = serve(answer)
    source = reader(url, pagination={"type": "page"})
    assert ids(source) == [1, 2, 3, 3, 4, 5, 6]
    (warning,) = source.report.warnings
    assert warning.startswith(f"{url}?page=2: the last record of the page before came again")


# links


def by_link(records, url):
    link = f'<{url}>; rel="next", </v1/orders>; rel="first"'
    return ok(records, **({"Link": link} if url else {}))


def by_next(records, url):
    return ok({"data": records, "paging": {"next": url}})


@pytest.mark.parametrize(
    ("lead", "pagination"),
    [
        (by_link, {"type": "link_header"}),
        (by_link, {"type": "auto"}),
        (by_next, {"type": "next_url", "next_url_path": "$.paging.next"}),
        (by_next, {"type": "auto"}),
    ],
)
def test_links_are_followed_as_they_are(serve, lead, pagination):
    url, seen = serve(linked(lead))
    source = reader(url, params={"status": "paid"}, pagination=pagination)
    assert ids(source) == [1, 2, 3, 4, 5, 6]
    assert [request.query for request in seen] == [
        {"status": "paid"},
        {"page": "2", "size": "2"},
        {"page": "3", "size": "2"},
    ]


def test_where_a_page_came_from_tells_its_number_and_hides_the_query(serve):
    url, _ = serve(linked(by_next))
    assert [batch.origin for batch in reader(url).batches()] == [
        url,
        f"{url} page 2",
        f"{url} page 3",
    ]


@pytest.mark.parametrize("url", ["http://[::1", "http://h:99999/", "file:///etc/passwd"])
def test_a_next_url_that_is_none_is_refused(serve, url):
    base, _ = serve(lambda _: ok({"data": numbers(1), "next": url}))
    message = failure(base, pagination={"type": "next_url"})
    assert "the next page is none" in message or "no address that can be asked" in message


# auto


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({"next": "/v1/orders?page=2"}, "next_url at $.next"),
        ({"links": {"next": "/v1/orders?page=2"}}, "next_url at $.links.next"),
        ({"_links": {"next": {"href": "?page=2"}}}, "next_url at $._links.next.href"),
        ({"@odata.nextLink": "?page=2"}, "next_url at $['@odata.nextLink']"),
        ({"next": None, "count": 9}, "none"),
        ({"has_more": False, "next_cursor": "", "meta": {"total_pages": 1}}, "none"),
    ],
)
def test_auto_tells_what_it_found(serve, more, found):
    url, seen = serve(
        lambda request: ok({"data": [{"id": len(seen)}], **({} if request.query else more)})
    )
    source = reader(url)
    rows(source)
    assert source.report.files[url].detected["pagination"] == found
    assert len(seen) == 1 + (found != "none")


@pytest.mark.parametrize(
    ("more", "sign"),
    [
        ({"has_more": True}, "$.has_more"),
        ({"meta": {"next_cursor": "xyz"}}, "$.meta.next_cursor"),
        ({"nextPageToken": "xyz"}, "$.nextPageToken"),
        ({"pagination": {"total_pages": 4}}, "$.pagination.total_pages"),
        ({"pageInfo": {"hasNextPage": True}}, "$.pageInfo.hasNextPage"),
    ],
)
def test_auto_never_takes_one_page_of_several_for_all(serve, more, sign):
    url, _ = serve(lambda _: ok({"data": numbers(1), **more}))
    assert f"there are more records, as {sign} tells" in failure(url)


def test_auto_doubts_a_page_that_is_less_than_the_total(serve):
    url, _ = serve(lambda _: ok({"data": numbers(2), "meta": {"total": 230}}))
    source = reader(url)
    assert ids(source) == [1, 2]
    (warning,) = source.report.warnings
    assert warning.startswith(f"{url}: $.meta.total is 230, and 2 records came")


# without end


@pytest.mark.parametrize(
    ("lead", "pagination"),
    [
        (lambda: ok({"data": numbers(1), "next": "/v1/orders"}), {}),
        (lambda: ok({"data": [], "c": "a"}), {"type": "cursor", "cursor_path": "$.c"}),
        (lambda: ok([], Link='</v1/orders?page=2>; rel="next"'), {"type": "link_header"}),
    ],
)
def test_a_list_that_leads_in_a_circle_is_noticed(serve, lead, pagination):
    url, seen = serve(lambda _: lead())
    message = failure(url, **({"pagination": pagination} if pagination else {}))
    assert "repeats page" in message or "would be page" in message
    assert len(seen) <= 3


def test_pages_that_come_again_later_are_noticed(serve):
    url, seen = serve(lambda request: ok([{"id": int(request.query["page"]) % 3}]))
    assert "page 4 repeats page 1" in failure(url, pagination={"type": "page"})
    assert len(seen) == 4


@pytest.mark.parametrize(
    ("answer", "pagination"),
    [
        (lambda q: {"data": [{"id": q}], "c": q + 1}, {"type": "cursor", "cursor_path": "$.c"}),
        (lambda q: {"data": [{"id": q}], "next": f"?cursor={q + 1}"}, {"type": "next_url"}),
        (lambda q: {"data": [{"id": q}], "next": f"?cursor={q + 1}"}, {"type": "auto"}),
    ],
)
def test_a_list_that_goes_on_for_ever_ends_at_the_most_pages(serve, answer, pagination):
    url, seen = serve(lambda request: ok(answer(int(request.query.get("cursor", 0)))))
    message = failure(url, pagination={**pagination, "max_pages": 5})
    assert "the list has more than 5 pages" in message
    assert len(seen) == 5
