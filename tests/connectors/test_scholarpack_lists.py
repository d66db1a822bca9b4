"""ScholarPack's lists over HTTP: nobody is missing, whatever happens between pages, and no token goes elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from mis_connectors import archive
from mis_connectors.errors import (
    ConnectorUnavailable,
    SnapshotFormatError,
)
from mis_connectors.records import Kind
from mis_connectors.simulators.faults import Fault
from mis_connectors.simulators.server import Request
from tests.connectors.scholarpack_things import DFE, STATE, ScholarPack, connector, of_kind, spoiled, started


def test_the_whole_school_is_fetched_with_everybody_who_left(pack: ScholarPack) -> None:
    school = pack.hosted.school
    school.leave(school.on_roll()[0].id)
    school.staff_leave(next(iter(school.staff)))
    snapshot = pack.read()
    pupils = of_kind(snapshot, Kind.PUPIL)
    assert set(pupils) == {str(number) for number in school.pupils}, "next_uri drops the filter that brings leavers"
    assert sum(1 for pupil in pupils.values() if pupil.leaving_date) > 1
    assert len(of_kind(snapshot, Kind.STAFF)) == len(school.staff)
    links = [link for link in school.all_links() if not link.applicant]
    assert len(of_kind(snapshot, Kind.CONTACT)) == len(links), "every sibling has contacts of their own"
    assert (snapshot.lacking, snapshot.notes, snapshot.orphans) == (frozenset(), (), ())
    assert snapshot.dfe_numbers == {DFE}


def test_two_nights_on_which_nothing_changed_are_the_same_bytes(pack: ScholarPack) -> None:
    one, two = pack.collect(), pack.collect()
    assert one.open().read() == two.open().read()
    assert connector.content_digest(one) == connector.content_digest(two)


@pytest.mark.parametrize("size", [7, 50, 64])
def test_pages_may_be_of_any_size(pack: ScholarPack, size: int) -> None:
    whole = {(record.kind, record.external_id) for record in pack.read().records}
    pack.api.largest_page = size
    assert {(record.kind, record.external_id) for record in pack.read().records} == whole


def test_a_list_of_one_page_is_asked_for_once_and_one_of_several_twice() -> None:
    server, api = started({**STATE, "size": 20})
    with server:
        pack = ScholarPack(server, api)
        pack.collect()
        assert pack.hosted.requests == 5, "the school, and four lists"
        pack.api.largest_page = 10
        names = [name for name, _ in archive.parts(pack.collect())]
    assert {name.split("/")[1] for name in names if "/" in name} == {"01"}, "the second reading is not kept"


def test_a_pupil_added_between_pages_is_there_and_nobody_is_missing(pack: ScholarPack) -> None:
    pack.hosted.set(Fault.ADDED_BETWEEN_PAGES)
    before = set(pack.hosted.school.pupils)
    pupils = of_kind(pack.read(), Kind.PUPIL)
    assert set(pupils) == {str(number) for number in before | pack.hosted.added}
    assert pack.hosted.added


def test_a_pupil_who_goes_between_pages_takes_nobody_along(pack: ScholarPack) -> None:
    """All who come later move up by one: the first of the second page would be on no page."""
    pack.api.largest_page = 30
    school = pack.hosted.school
    done: list[int] = []

    def go(request: Request, said: dict[str, Any]) -> None:
        if request.path.endswith("/students/") and said["page"] == 1 and not done:
            done.append(said["data"][3]["id"])
            school.drop_pupil(done[0])
            pack.hosted.changed()

    spoiled(pack, go)
    assert set(of_kind(pack.read(), Kind.PUPIL)) == {str(number) for number in school.pupils}
    assert done


def test_a_merge_between_two_lists_leaves_no_contact_without_a_child(pack: ScholarPack) -> None:
    def merge(request: Request, said: dict[str, Any]) -> None:
        if request.path.endswith("/contacts/") and not said["has_next"]:
            pack.hosted.set(Fault.MERGED)

    spoiled(pack, merge)
    contacts = of_kind(pack.read(), Kind.CONTACT)
    assert all(record.links for record in contacts.values())
    assert len(contacts) == len({link.contact_id for link in pack.hosted.school.all_links() if not link.applicant})


def test_a_list_that_never_holds_still_is_tried_again_later(pack: ScholarPack) -> None:
    pack.api.largest_page = 30

    def turn(request: Request, said: dict[str, Any]) -> None:
        if request.path.endswith("/students/"):
            for record in said["data"]:
                record["id"] = record["id"] * 1000 + pack.hosted.requests

    spoiled(pack, turn)
    with pytest.raises(ConnectorUnavailable, match="list of pupils changed each time"):
        pack.collect()


def test_records_that_come_twice_for_ever_count_once(pack: ScholarPack) -> None:
    def twice(request: Request, said: dict[str, Any]) -> None:
        if isinstance(said.get("data"), list):
            said["data"] = [*said["data"], *said["data"][:5]]

    whole = {(record.kind, record.external_id) for record in pack.read().records}
    spoiled(pack, twice)
    assert {(record.kind, record.external_id) for record in pack.read().records} == whole


def test_a_list_that_ends_before_the_pages_it_promises_is_not_believed(pack: ScholarPack) -> None:
    def stop(request: Request, said: dict[str, Any]) -> None:
        if said.get("page") == 1:
            said["has_next"] = False

    pack.api.largest_page = 30
    spoiled(pack, stop)
    with pytest.raises(ConnectorUnavailable, match="only a part of its list of pupils"):
        pack.collect()


def test_a_list_that_leads_in_circles_is_left(pack: ScholarPack) -> None:
    def turn(request: Request, said: dict[str, Any]) -> None:
        if said.get("page") == 2:
            said["has_next"], said["next_uri"] = True, f"{pack.server.address}/api/v1/students/?page=2"

    spoiled(pack, turn)
    with pytest.raises(SnapshotFormatError, match="leads round in circles"):
        pack.collect()


@pytest.mark.parametrize(
    "uri",
    [
        "https://elsewhere.example.org/api/v1/students/?page=2",
        "http://127.0.0.1:1/api/v1/students/?page=2",
        "{address}/api/v1/secrets/?page=2",
        "{address}.example.org/api/v1/students/?page=2",
        "//elsewhere.example.org/api/v1/students/?page=2",
        "http://user@{host}/api/v1/students/?page=2",
        "http://[::1/api/v1/students/",
        "javascript:alert(1)",
    ],
)
def test_no_next_uri_takes_our_token_elsewhere(pack: ScholarPack, uri: str) -> None:
    address = pack.server.address
    led = uri.format(address=address, host=address.removeprefix("http://"))
    spoiled(pack, lambda request, said: said.update(next_uri=led) if said.get("has_next") else None)
    with pytest.raises(SnapshotFormatError, match="not ScholarPack’s"):
        pack.collect()


def test_without_a_next_uri_the_next_number_is_taken(pack: ScholarPack) -> None:
    whole = len(pack.read().records)
    spoiled(pack, lambda request, said: said.update(next_uri=None) if "next_uri" in said else None)
    assert len(pack.read().records) == whole


@pytest.mark.parametrize("lost", ["data", "has_next"])
def test_an_envelope_without_its_keys_is_not_scholarpacks(pack: ScholarPack, lost: str) -> None:
    spoiled(pack, lambda request, said: said.pop(lost) if "page" in said else None)
    with pytest.raises(SnapshotFormatError, match="not its usual data"):
        pack.collect()
