"""*Test link*: each part in order, said so that an office knows whose turn it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from mis_connectors import checks
from mis_connectors.base import Access, Check, CheckState
from mis_connectors.errors import (
    ConnectorAuthError,
    ConnectorConfigError,
    ConnectorError,
    ConnectorPlatformError,
    ConnectorUnavailable,
)
from mis_connectors.scholarpack import client, parse, people, schools, wording

_ANSWERS = checks.ok("address", "ScholarPack answers.")


def run(access: Access) -> Iterator[Check]:
    """Yield what was found of each part; ends after one that failed."""
    try:
        asking = client.Client(access)
        school, _ = asking.school()
    except client.Refused:
        yield from (_ANSWERS, _failed("credentials", wording.NOT_SWITCHED_ON))
        return
    except ConnectorError as error:
        yield from _no_way_in(error)
        return
    yield _ANSWERS
    try:
        schools.require_ours(access, school)
    except ConnectorAuthError as error:
        yield _failed("credentials", error.message)
        return
    yield checks.ok("credentials", f"ScholarPack lets us in at {schools.name_of(school)}.")
    yield from _lists(asking)


def _no_way_in(error: ConnectorError) -> Iterator[Check]:
    """Yield what a refusal before anything was read means."""
    if error.message == wording.NO_CONSENT:  # nothing was asked, so the address is not known to be good
        yield _failed("credentials", error.message)
    elif isinstance(error, (ConnectorAuthError, ConnectorPlatformError)):
        yield from (_ANSWERS, _failed("credentials", error.message))
    else:
        yield _failed("address", error)


def _lists(asking: client.Client) -> Iterator[Check]:
    first: dict[client.Resource, list[dict[str, Any]]] = {}
    for resource in client.RESOURCES:
        try:
            first[resource] = next(iter(asking.pages(resource))).records
        except client.Refused:
            if resource is not client.STAFF:
                yield _failed("permissions", wording.MAY_NOT_READ.format(what=resource.what))
                return
        except ConnectorError as error:
            refused = isinstance(error, (ConnectorAuthError, ConnectorConfigError))
            yield _failed("credentials" if refused else "permissions", error)
            return
    yield _permissions(may_read_staff=client.STAFF in first)
    yield _fields(first)
    yield _sample(first)


def _permissions(*, may_read_staff: bool) -> Check:
    if may_read_staff:
        return checks.ok("permissions", "We may read pupils, their contacts and staff.")
    return Check(
        key="permissions",
        state=CheckState.OK,
        sentence="We may read pupils and their contacts, but not staff.",
        advice=wording.NO_STAFF,
        lacking=parse.STAFF_FIELDS,
    )


def _fields(first: Mapping[client.Resource, list[dict[str, Any]]]) -> Check:
    given = {resource.path: {name for record in records for name in record} for resource, records in first.items()}
    lacking = parse.lacking(given)
    if not lacking - parse.STAFF_FIELDS:
        of_whom = "" if client.STAFF in first else " of pupils and contacts"
        sentence = f"ScholarPack gives every field{of_whom} that Schoolgate uses."
    else:
        shown = ", ".join(sorted(name.replace("_", " ").replace(".", ": ") for name in lacking - parse.STAFF_FIELDS))
        sentence = f"ScholarPack does not give: {shown}. What is known of these stays as it is."
    return Check(key="fields", state=CheckState.OK, sentence=sentence, lacking=lacking)


def _sample(first: Mapping[client.Resource, list[dict[str, Any]]]) -> Check:
    """Show pupils whose links stand on the first page, so that the number of contacts is right."""
    contacts = Counter(str(link.get("student_id")) for link in first[client.LINKS][:-1])
    if len(first[client.LINKS]) > 1:
        contacts.pop(str(first[client.LINKS][-1].get("student_id")), None)  # whose links may go on overleaf
    on_roll = [record for record in first[client.STUDENTS] if people.is_on_roll(record)]
    on_roll.sort(key=lambda record: str(record.get("id")) not in contacts)
    if not on_roll:
        sentence = (
            "ScholarPack shows us no pupil on roll. See that this is your school’s real ScholarPack, not a trial of it."
        )
        return _failed("sample", sentence)
    sample = tuple(
        checks.pupil(people.pupil_of(record), contacts[str(record.get("id"))]) for record in on_roll[: checks.SAMPLE]
    )
    return Check(
        key="sample", state=CheckState.OK, sentence="The first pupils that ScholarPack shows us:", sample=sample
    )


def _failed(key: str, said: str | ConnectorError) -> Check:
    found = checks.failed(key, said)
    what, do = wording.parted(found.sentence)
    if isinstance(said, ConnectorUnavailable):
        do = do or wording.NO_ANSWER
    return replace(found, sentence=what, advice=do)
