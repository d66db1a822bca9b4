"""A hub full of schools, made in bulk by SQL: people, links, connections, two weeks of nights, rejections."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import connection

from hub.accounts.models import Account, Membership, Role
from hub.core import scope
from hub.core.models import School
from hub.people.models import MisSource
from imports.models import (
    Import,
    ImportKind,
    ImportState,
    LinkState,
    MisLink,
    RejectedRecord,
    Rejection,
    ScheduledRun,
)

NIGHTS = 14
DAY = dt.timedelta(days=1)
TRUST = "trust@example.org"

_PEOPLE = """
INSERT INTO people_pupil (school_id, upn, former_upn, admission_number, forename, surname, legal_forename,
    legal_surname, middle_names, date_of_birth, gender, year_group, registration_group, house, class_name,
    pre_admission)
SELECT s.id, '', '', n::text, 'Pupil' || n, 'Family' || n %% 400, '', '', '', date '2014-01-01' + n, '', (n %% 7)::text,
    (n %% 7) || 'ABC', '', '', false
FROM core_school s, generate_series(1, %(pupils)s) n;

INSERT INTO people_contact (school_id, title, forename, surname, gender, address, postcode, language, made_by_hand)
SELECT s.id, 'Ms', 'Parent' || n, 'Family' || n %% 400, '', n || ' Larch Road', '', '', false
FROM core_school s, generate_series(1, %(contacts)s) n;

INSERT INTO people_staff (school_id, code, title, forename, surname, role, tutor_of, made_by_hand)
SELECT s.id, 'S' || n, 'Mr', 'Staff' || n, 'Member' || n, 'Teacher', '', false
FROM core_school s, generate_series(1, %(staff)s) n;

INSERT INTO people_pupilcontact (school_id, pupil_id, contact_id, relationship, priority, parental_responsibility,
    court_order, access)
SELECT p.school_id, p.id, c.id, 'Parent', 1, true, false, true
FROM (SELECT *, row_number() OVER (PARTITION BY school_id ORDER BY id) AS n FROM people_pupil) p
JOIN (SELECT *, row_number() OVER (PARTITION BY school_id ORDER BY id) AS n FROM people_contact) c
  ON c.school_id = p.school_id AND c.n %% %(pupils)s = p.n %% %(pupils)s;

INSERT INTO people_contactdetail (school_id, contact_id, kind, value, mis_value, source, changed_at, changed_by,
    deliverable)
SELECT c.school_id, c.id, kind, kind || c.id || '@example.org',
    CASE WHEN c.id %% 200 = 0 THEN 'other' || c.id || '@example.org' ELSE kind || c.id || '@example.org' END,
    CASE WHEN c.id %% 200 = 0 THEN 'person' ELSE 'mis' END, %(now)s, '', true
FROM people_contact c, unnest(ARRAY['email', 'mobile']) kind;

INSERT INTO people_connection (school_id, contact_id, account_id, connected_at, ended_why)
SELECT c.school_id, c.id, %(parent)s, %(now)s, '' FROM people_contact c WHERE c.id %% 2 = 0;
"""


def create(*, schools: int, people: int, now: dt.datetime) -> list[School]:
    """Return `schools` new schools of `people` each: 35 % pupils, 62 % contacts, 3 % staff."""
    begin = now - (NIGHTS + 1) * DAY
    with scope.every_school():
        made = School.objects.bulk_create(
            School(name=f"School {number}", slug=f"{8_240_000 + number}", dfe_number=f"{8_240_000 + number}")
            for number in range(schools)
        )
        sources = MisSource.objects.bulk_create(
            MisSource(school=school, connector="sims", started_at=begin) for school in made
        )
        linked = MisLink.objects.bulk_create(
            MisLink(
                school=source.school, source=source, state=LinkState.ENABLED, state_since=begin, scheduled_since=begin,
                weekdays=[1, 2, 3, 4, 5, 6, 7], run_at=dt.time(2, 0),
            )
            for source in sources
        )  # fmt: skip
        _two_weeks(linked, now)
        parent = Account.objects.create_user("parent@example.org", name="A parent")
        _staff(made, now)
        pupils, staff = max(2, people * 35 // 100), max(1, people * 3 // 100)
        values: dict[str, Any] = {
            "pupils": pupils, "contacts": max(2, people - pupils - staff), "staff": staff, "now": now,
            "parent": parent.pk,
        }  # fmt: skip
        with connection.cursor() as cursor:
            for statement in _PEOPLE.split(";\n"):
                cursor.execute(statement, values)
    return made


def _two_weeks(linked: list[MisLink], now: dt.datetime) -> None:
    """Give every link a night's import for two weeks, and a dozen records that could not be taken."""
    counts = {"added": 1, "updated": 9, "ended": 0, "kept": 2, "rejected": 0, "pupils": 350, "contacts": 620}
    runs = Import.objects.bulk_create(
        Import(
            school_id=link.school_id, link=link, kind=ImportKind.AUTOLINK, night=at.date(), counts=counts,
            state=ImportState.UNCHANGED if back % 5 else ImportState.APPLIED, attempts=1,
            created_at=at, started_at=at, finished_at=at + dt.timedelta(seconds=3),
        )
        for link in linked
        for back in reversed(range(NIGHTS))
        for at in [now - back * DAY]
    )  # fmt: skip
    ScheduledRun.objects.bulk_create(
        ScheduledRun(
            school_id=run.school_id, link_id=run.link_id, night=run.created_at.date(), due_at=run.created_at,
            claimed_at=run.created_at, satisfied_by=run,
        )
        for run in runs
    )  # fmt: skip
    RejectedRecord.objects.bulk_create(
        RejectedRecord(
            school_id=run.school_id, link_id=run.link_id, first_run=run, severity=list(Rejection)[number % 3],
            kind="contact", external_id=str(number), label=f"Ms Parent{number}", file="contacts.xml", row=number,
            field="email", value="n/a", reason="not_an_email", message="This is no email.",
            advice="Correct it in the MIS.", seen_at=now,
        )
        for run in runs[::NIGHTS]
        for number in range(12)
    )  # fmt: skip


def _staff(schools: list[School], now: dt.datetime) -> None:
    """Give every school an administrator of its own, and one person a role at all of them."""
    heads = Account.objects.bulk_create(
        Account(email=_email_of(school), name=f"Head of {school.name}", password="!", second_factor_at=now)
        for school in schools
    )
    officer = Account.objects.create_user(TRUST, name="Trust officer", second_factor_at=now)
    pairs = [*zip(schools, heads, strict=True), *((school, officer) for school in schools)]
    Membership.objects.bulk_create(
        Membership(school=school, account=account, role=Role.ADMINISTRATOR, invited_at=now, accepted_at=now)
        for school, account in pairs
    )


def _email_of(school: School) -> str:
    return f"head@{school.slug}.example.org"


def head_of(school: School) -> Account:
    """Return the administrator of this school and no other."""
    return Account.objects.get(email=_email_of(school))


def trust_officer() -> Account:
    """Return the account that has a role at every school."""
    return Account.objects.get(email=TRUST)
