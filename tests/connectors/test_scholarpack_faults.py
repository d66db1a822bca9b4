"""Every fault of ScholarPack: its error, its sentence, and what *Test link* says."""

from __future__ import annotations

from typing import Any

import pytest

from mis_connectors.base import CheckState
from mis_connectors.errors import (
    ConnectorAnotherSchool,
    ConnectorAuthError,
    ConnectorError,
    ConnectorUnavailable,
    SnapshotFormatError,
)
from mis_connectors.records import Kind
from mis_connectors.simulators import scholarpack_oauth
from mis_connectors.simulators.faults import Fault
from mis_connectors.simulators.server import Request, Response
from tests.connectors.scholarpack_things import ScholarPack, connector, spoiled

UNAVAILABLE = {
    Fault.SERVER_ERROR: "ScholarPack says that something is wrong on its side",
    Fault.HANG: "ScholarPack does not answer in time",
    Fault.TRUNCATED: "cut short",
    Fault.TOO_MANY: "ScholarPack asks us to wait",
    Fault.DUPLICATE_PAGE: "only a part of its list of pupils",
}
REFUSED = {
    Fault.PENDING: "Admin > Config > API Configuration",
    Fault.WITHDRAWN: "permission was withdrawn",
    Fault.WRONG_SCHOOL: "permission is for another school, Somewhere Else Primary",
}
NOT_ITS_FORMAT = {Fault.WRONG_TYPE: "not its usual data", Fault.GARBAGE: "not its usual data"}
EXPECTED: dict[Fault, tuple[type[ConnectorError], str]] = {
    **{fault: (ConnectorUnavailable, said) for fault, said in UNAVAILABLE.items()},
    **{fault: (ConnectorAuthError, said) for fault, said in REFUSED.items()},
    **{fault: (SnapshotFormatError, said) for fault, said in NOT_ITS_FORMAT.items()},
}
PASSES = {
    Fault.SLOW, Fault.EXPIRED_TOKEN, Fault.UNTICKED, Fault.HALF, Fault.ADDED_BETWEEN_PAGES, Fault.MERGED,
}  # fmt: skip


def test_every_fault_is_looked_at() -> None:
    assert set(EXPECTED) | PASSES == set(Fault)


@pytest.mark.parametrize("fault", list(EXPECTED))
def test_each_fault_has_its_error_and_a_sentence_without_secrets(pack: ScholarPack, fault: Fault) -> None:
    error, said = EXPECTED[fault]
    pack.hosted.set(fault)
    with pytest.raises(error) as caught:
        pack.collect()
    assert type(caught.value) is (ConnectorAnotherSchool if fault is Fault.WRONG_SCHOOL else error)
    assert said in caught.value.message
    shown = caught.value.message + caught.value.detail
    for secret in (*pack.secrets.values(), scholarpack_oauth.CLIENT_SECRET):
        assert secret not in shown
    assert "?" not in caught.value.detail.replace("at ?", "")


@pytest.mark.parametrize("fault", sorted(PASSES))
def test_under_the_other_faults_a_night_is_fetched(pack: ScholarPack, fault: Fault) -> None:
    pack.hosted.set(fault, seconds=0.01)
    assert pack.read().complete >= {Kind.PUPIL, Kind.CONTACT}


def test_retry_after_is_waited_for_and_handed_on(pack: ScholarPack) -> None:
    pack.hosted.set(Fault.TOO_MANY, seconds=7, times=1)
    pack.collect()
    assert pack.slept
    assert 7 <= pack.slept[0] < 8
    pack.hosted.set(Fault.TOO_MANY, seconds=900)
    with pytest.raises(ConnectorUnavailable) as caught:
        pack.collect()
    assert caught.value.retry_after == 900


def test_staff_that_are_not_allowed_stay_as_they_were(pack: ScholarPack) -> None:
    pack.hosted.set(Fault.UNTICKED)
    snapshot = pack.read()
    assert snapshot.complete == {Kind.PUPIL, Kind.CONTACT}
    assert snapshot.lacking == connector.info.optional


def test_contacts_that_are_not_allowed_end_the_run(pack: ScholarPack) -> None:
    real = pack.api.handle

    def handle(request: Request) -> Response:
        return Response(status=403) if request.path.endswith("/contacts/") else real(request)

    pack.api.handle = handle  # type: ignore[method-assign]
    with pytest.raises(ConnectorAuthError, match="does not let us read its contacts"):
        pack.collect()
    assert pack.test()[-1].key == "permissions"


# Test link


def test_a_good_link_shows_each_part_and_five_pupils(pack: ScholarPack) -> None:
    checks = pack.test()
    assert [check.key for check in checks] == ["address", "credentials", "permissions", "fields", "sample"]
    assert {check.state for check in checks} == {CheckState.OK}
    assert "Larch Hill Primary (823/3001)" in checks[1].sentence
    sample = checks[-1].sample
    assert len(sample) == 5
    assert all(pupil.name and pupil.year_group and pupil.registration_group and pupil.contacts for pupil in sample)


def test_the_number_of_contacts_shown_is_right(pack: ScholarPack) -> None:
    school = pack.hosted.school
    real = {
        f"{pupil.chosen_name or pupil.forename} {pupil.surname}": sum(
            not one.applicant for one in school.links[pupil.id]
        )
        for pupil in school.on_roll()
    }
    for shown in pack.test()[-1].sample:
        assert shown.contacts == real[shown.name]


@pytest.mark.parametrize("fault", sorted(EXPECTED.keys() - {Fault.DUPLICATE_PAGE}))
def test_a_link_that_fails_says_where_and_what_to_do(pack: ScholarPack, fault: Fault) -> None:
    pack.hosted.set(fault)
    *good, bad = pack.test()
    assert bad.state is (CheckState.FAILED if fault in REFUSED else CheckState.UNANSWERED)
    assert bad.advice
    assert all(check.state is CheckState.OK for check in good)
    assert bad.key == ("credentials" if fault in REFUSED else "address")


def test_fields_that_scholarpack_does_not_give_are_named(pack: ScholarPack) -> None:
    def hide(request: Request, said: dict[str, Any]) -> None:
        if request.path.endswith("/students/"):
            for record in said["data"]:
                del record["upn"]

    spoiled(pack, hide)
    fields = next(check for check in pack.test() if check.key == "fields")
    assert fields.lacking == {"pupil.upn"}
    assert "pupil: upn" in fields.sentence
