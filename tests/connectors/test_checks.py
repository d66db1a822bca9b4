"""The parts of a test of the link: what is said where an MIS does not answer, and the first pupils."""

from __future__ import annotations

import pytest

from mis_connectors import checks
from mis_connectors.base import CheckState
from mis_connectors.errors import ConnectorAuthError, ConnectorConfigError, ConnectorUnavailable, SnapshotFormatError
from mis_connectors.http import Http, Outgoing
from mis_connectors.records import Opened, PupilRecord
from mis_connectors.replies import by_name


@pytest.mark.parametrize(
    ("raised", "state"),
    [
        (ConnectorUnavailable("It asks us to wait."), CheckState.UNANSWERED),
        (SnapshotFormatError("It answered with a web page."), CheckState.UNANSWERED),
        (ConnectorUnavailable("Its address cannot be found.", address=True), CheckState.FAILED),
        (ConnectorConfigError("It does not know the address."), CheckState.FAILED),
        (ConnectorAuthError("It refuses us."), CheckState.FAILED),
        ("It has no pupils.", CheckState.FAILED),
    ],
)
def test_a_part_has_failed_only_where_the_mis_said_so(raised: str | Exception, state: CheckState) -> None:
    assert checks.failed("address", raised).state is state  # type: ignore[arg-type]


@pytest.mark.parametrize(("url", "is_its_address"), [("http://example.org/", True), ("http://127.0.0.1:9/", False)])
def test_an_address_that_may_not_be_asked_is_told_from_an_mis_that_is_silent(url: str, is_its_address: bool) -> None:
    asking = Http(Outgoing(loopback=True, attempts=1), sleep=lambda seconds: None)
    with pytest.raises(ConnectorUnavailable) as caught, by_name("Hilltop"):
        asking.get(url)
    assert caught.value.address is is_its_address
    assert "Hilltop" in caught.value.message


def test_a_link_that_comes_twice_is_one_contact_and_other_pupils_links_are_none() -> None:
    pupils = [("1", Opened(PupilRecord(forename="Amelia", surname="Okafor"))), ("2", Opened(PupilRecord()))]
    found = checks.sample("Hilltop", pupils, links=[("1", "9"), ("1", "9"), ("1", "8"), ("3", "9")])
    assert [(one.name, one.contacts) for one in found.sample] == [("Amelia Okafor", 2), ("without a name", 0)]
