"""Driving real imports: a simulated SIMS school, its zips, and what the database holds afterwards."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from hub.accounts.models import Account
from hub.core.models import School
from hub.people import services as people
from hub.people.models import Contact, ContactDetail, MisIdentity, PupilContact
from imports import payloads, services
from imports.link import links
from imports.models import Import, ImportKind, MisLink
from mis_connectors.simulators import school as simulated
from mis_connectors.simulators import sims_xml

FIRST_NIGHT = dt.datetime(2026, 11, 23, 2, 4, tzinfo=dt.UTC)
PEOPLE_TABLES = (
    "people_pupil", "people_contact", "people_staff", "people_pupilcontact", "people_contactdetail",
    "people_misidentity", "people_group", "people_groupmember", "people_connection",
)  # fmt: skip
_BOOKKEEPING = {
    "id", "school_id", "source_id", "digest", "emails", "mobiles", "gone_on", "changed_at", "changed_by",
    "changed_import", "mis_changed_at", "verified_at", "deliverable",
}  # fmt: skip
"""Not part of what an undo puts back: names of rows, what the MIS said last, and who wrote when."""


@dataclass
class Nights:
    """One school, its simulated MIS, and one import after another."""

    school: School
    mis: simulated.School
    link: MisLink
    now: dt.datetime = FIRST_NIGHT
    runs: int = 0
    passed: list[Import] = field(default_factory=list)

    @classmethod
    def of(cls, school: School, size: int = 24, *, seed: int = 1) -> Nights:
        mis = simulated.generate(seed=seed, size=size, dfe_number=school.dfe_number)
        link = links.create_link(school=school, connector="sims", by=None, now=FIRST_NIGHT)
        return cls(school, mis, link)

    def zip(self) -> bytes:
        return sims_xml.bundle(self.mis, f"run-{self.runs}", self.now)

    def send(self, data: bytes | None = None, *, run_id: str = "", **more: Any) -> services.Received:
        """Receive a file as the agent would send it; it is not begun."""
        self.link.refresh_from_db()
        self.runs += 1
        more = {"kind": ImportKind.AUTOLINK, "filename": "schoolgate.zip", "start": False} | more
        return services.receive(
            link=self.link, stream=io.BytesIO(self.zip() if data is None else data),
            run_id=run_id or f"run-{self.runs}", now=self.now, **more,
        )  # fmt: skip

    def night(self, data: bytes | None = None, **more: Any) -> Import:
        """Send and import; the next night is a day later."""
        received = self.send(data, **more)
        assert received.run is not None, received.sentence
        return self.carry_out(received.run)

    def carry_out(self, run: Import) -> Import:
        done = services.run(import_id=run.pk, now=self.now)
        assert done is not None, "the run was not free to begin"
        self.passed.append(done)
        self.now += dt.timedelta(days=1)
        return done

    def changed(self) -> Import:
        """Return a run that changes somebody's mobile and adds a pupil, not yet begun."""
        (record,) = self.usual_parents(1)
        self.mis.change_mobile(record, "07700 900801")
        self.mis.add_pupil()
        run = self.send().run
        assert run is not None
        return run

    # Who is who.

    def contact(self, record: int | str) -> Contact:
        identity = MisIdentity.objects.select_related("contact").get(
            school=self.school, kind="contact", external_id=self._external(record), part=0
        )
        assert identity.contact
        return identity.contact

    def contact_or_none(self, record: int) -> Contact | None:
        known = [str(record), self.mis.contacts[record].guid]
        return Contact.objects.filter(school=self.school, identities__external_id__in=known).first()

    def _external(self, record: int | str) -> str:
        contact = self.mis.contacts.get(int(record))
        known = {str(record), *({contact.guid} if contact else ())}
        rows = MisIdentity.objects.filter(school=self.school, kind="contact", external_id__in=known)
        return str(rows.values_list("external_id", flat=True)[0])

    def usual_parents(self, count: int) -> list[int]:
        """Return records of contacts who came in with a mobile, each one a person of their own."""
        names = [(contact.forename, contact.surname) for contact in self.mis.contacts.values()]
        found = []
        for record, contact in self.mis.contacts.items():
            alone = names.count((contact.forename, contact.surname)) == 1 and contact.forename
            if alone and self._is_usual(record, contact.guid):
                found.append(record)
            if len(found) == count:
                return found
        raise AssertionError(f"this school has only {len(found)} usual parents")

    def _is_usual(self, record: int, guid: str) -> bool:
        identities = MisIdentity.objects.filter(
            school=self.school, kind="contact", external_id__in=[str(record), guid], contact__details__kind="mobile"
        )
        return (
            identities.count() == 1
            and not MisIdentity.objects.filter(external_id__in=[str(record), guid], part=1).exists()
        )

    def value(self, record: int, kind: str = "mobile") -> str:
        return ContactDetail.objects.get(contact=self.contact(record), kind=kind).value

    def connect(self, record: int, **verified: str) -> Contact:
        contact = self.contact(record)
        account = Account.objects.create_user(f"c{record}@example.org", name=str(contact), password="x" * 12)
        people.connect(
            contact=contact, account=account, verified=verified, by_name=str(contact), now=self.now
        )  # fmt: skip
        return contact

    def link_between(self, pupil: int, contact: int) -> PupilContact:
        guid = self.mis.pupils[pupil].guid
        identity = MisIdentity.objects.get(school=self.school, kind="pupil", external_id__in=[str(pupil), guid])
        return PupilContact.objects.get(pupil_id=identity.pupil_id, contact=self.contact(contact))


def versions(school: School, tables: Iterable[str] = PEOPLE_TABLES) -> dict[str, list[Any]]:
    """Return where and by which transaction each row stands: any write to a row shows."""
    found = {}
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"SELECT ctid::text, xmin::text FROM {table} WHERE school_id = %s ORDER BY 1", [school.pk])
            found[table] = cursor.fetchall()
    return found


def fingerprint(school: School) -> dict[str, str]:
    """Return, per table, a hash over what its rows say: without ids, digests and who wrote when."""
    return {
        table: hashlib.sha256(repr(rows).encode()).hexdigest()[:12] + f" of {len(rows)}"
        for table, rows in _contents(school).items()
    }


_WORDS = {
    "pupil": "forename || ' ' || surname", "contact": "forename || ' ' || surname || ' ' || postcode",
    "staff": "code || surname", "group": "kind || name",
}  # fmt: skip
"""What stands for a row where another names it: ids are new when somebody is added again."""


def _contents(school: School) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    with connection.cursor() as cursor:
        names: dict[str, dict[int, str]] = {"account_id": {}}
        for table, words in _WORDS.items():
            cursor.execute(f"SELECT id, {words} FROM people_{table} WHERE school_id = %s", [school.pk])
            names[f"{table}_id"] = dict(cursor.fetchall())
        for table in PEOPLE_TABLES:
            if table == "people_group":
                continue  # groups stay, empty, on purpose
            cursor.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_name = %s ORDER BY 1", [table]
            )
            columns = [name for (name,) in cursor.fetchall() if name not in _BOOKKEEPING]
            quoted = ", ".join(f'"{name}"' for name in columns)
            cursor.execute(f"SELECT {quoted} FROM {table} WHERE school_id = %s", [school.pk])
            rows = [
                tuple(
                    names[name].get(value, "") if name in names else value
                    for name, value in zip(columns, row, strict=True)
                )
                for row in cursor.fetchall()
            ]
            found[table] = sorted(rows, key=repr)
    return found


def raw_bytes(run: Import) -> bytes:
    assert run.payload
    return b"".join(payloads.raw(run.payload))
