"""The wall between schools stands in the database itself."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.utils import ProgrammingError

from hub.core import scope
from hub.core.models import School
from hub.people.models import Contact, Pupil, PupilContact


def test_outside_a_scope_no_school_is_seen(school: School) -> None:
    with scope.schools():
        assert list(School.objects.all()) == []


def test_another_schools_rows_are_not_seen(school: School, other_school: School) -> None:
    Pupil.objects.create(school=school, forename="Millie", surname="Okafor")
    with scope.schools(other_school.pk):
        assert not Pupil.objects.exists()
    with scope.schools(school.pk, other_school.pk):
        assert Pupil.objects.count() == 1


def test_a_row_cannot_be_written_into_another_school(school: School, other_school: School) -> None:
    with pytest.raises(ProgrammingError, match="row-level security"):
        Pupil.objects.create(school=other_school, forename="Millie", surname="Okafor")


@transaction.atomic
def _link_at_once(school: School, pupil: Pupil, contact: Contact) -> None:
    PupilContact.objects.create(school=school, pupil=pupil, contact=contact)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_a_link_across_schools_is_impossible(school: School, other_school: School) -> None:
    with scope.every_school():
        pupil = Pupil.objects.create(school=school, forename="Millie", surname="Okafor")
        contact = Contact.objects.create(school=other_school, surname="Okafor")
        with pytest.raises(IntegrityError, match="same_school"):
            _link_at_once(school, pupil, contact)


def test_the_app_role_owns_nothing(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("schoolgate_app",)
        cursor.execute("SELECT count(*) FROM pg_tables WHERE tableowner IN ('schoolgate_app', 'schoolgate_system')")
        assert cursor.fetchone() == (0,)


def test_every_table_with_a_school_is_behind_the_wall(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
            WHERE c.relkind = 'r' AND a.attname = 'school_id' AND NOT a.attisdropped
            AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
            """
        )
        assert cursor.fetchall() == []
