"""The demo schools with their logins and MIS Links, made through the services that the pages use."""

from __future__ import annotations

import base64
import datetime as dt
import secrets
from functools import cache

from django.contrib.auth.hashers import make_password

from hub.accounts import second_factor, tokens
from hub.accounts import services as accounts
from hub.accounts.models import Account, Membership, Role
from hub.core import scope
from hub.core import services as core
from hub.core.models import School
from hub.people import services as people
from hub.people.details import display_mobile
from hub.people.models import Contact, Group, GroupKind, Staff
from imports.demo.places import CLOUD, EVERY_SCHOOL, SCHOOLS, DemoSchool
from imports.link import links
from imports.models import MisLink

__all__ = ["CLOUD", "EVERY_SCHOOL", "SCHOOLS", "DemoSchool"]

PASSWORD = "demo at schoolgate"  # noqa: S105 – printed for everybody who starts the demo on their own machine
EVERYWHERE = "trust@example.org"
"""The login that has every school."""


def find(demo: DemoSchool) -> School | None:
    """Return the school if it was made before."""
    with scope.every_school():
        return School.objects.filter(slug=demo.dfe_number).first()


def make(demo: DemoSchool, *, now: dt.datetime) -> School:
    """Return the school with its administrator, its office and its MIS Link, making what is missing."""
    school = find(demo) or core.create_school(
        dfe_number=demo.dfe_number, name=demo.name, office_email=demo.office_email, now=now
    )
    with scope.schools(school.pk):
        head = join(school, demo.administrator_email, demo.head, Role.ADMINISTRATOR, by=None, now=now)
        join(school, demo.office_email, demo.office, Role.OFFICE, by=head, now=now)
        join(school, EVERYWHERE, "Ruth Okafor", Role.ADMINISTRATOR, by=head, now=now)
        if links.current_link(school) is None:
            links.create_link(school=school, connector=demo.mis, by=head, now=now)
    return school


def join(school: School, email: str, name: str, role: Role, *, by: Account | None, now: dt.datetime) -> Account:
    """Return the account that has `role` at `school`: invited, and the invitation accepted."""
    member = Membership.objects.filter(school=school, account__email=email, ended_at=None).first()
    if member is not None:
        return member.account
    account = Account.objects.filter(email=email).first() or _login(email, name, now)
    invited = accounts.invite_staff(school=school, email=email, role=role, by=by, name=name, now=now)
    accounts.accept_invitation(token_hash=tokens.hashed(invited.token), name=name, signed_in=account, now=now)
    return account


def _login(email: str, name: str, now: dt.datetime) -> Account:
    """Make a login of staff, with the demo's password and a second factor: the demo prints its codes."""
    account = Account.objects.create_user(email, name=name)
    give_password(account)
    secret = base64.b32encode(secrets.token_bytes(20)).decode("ascii")
    second_factor.give_time_code(account=account, secret=secret, now=now)
    return account


def give_password(account: Account) -> None:
    """Let a login sign in by the demo's password."""
    account.password = _hash()
    account.save(update_fields=["password"])


@cache
def _hash() -> str:
    """Hash the demo's password once for all logins: a good hash takes half a second."""
    return make_password(PASSWORD)


def administrator(school: School, demo: DemoSchool) -> Account:
    return Account.objects.get(email=demo.administrator_email)


def office(demo: DemoSchool) -> Account:
    return Account.objects.get(email=demo.office_email)


def staff_logins() -> list[str]:
    """Return the emails of all the staff of the demo."""
    of_schools = [(demo.administrator_email, demo.office_email, demo.teacher_email) for demo in EVERY_SCHOOL]
    return [EVERYWHERE, *(email for emails in of_schools for email in emails)]


def code_of(email: str, *, now: dt.datetime) -> str:
    """Return the time code that a login is asked for now; blank if it has none."""
    account = Account.objects.filter(email=email).first()
    return second_factor.current_code(account, now) if account else ""


def sign_in_name_of(contact: Contact) -> str:
    """Return the email or mobile by which a Connected parent signs in; blank for somebody not connected."""
    account = Account.objects.filter(connections__contact=contact, connections__ended_at=None).first()
    return (account.email or display_mobile(account.mobile or "")) if account else ""


def link_of(school: School) -> MisLink:
    """Return the school's link; it was made with the school."""
    link = links.current_link(school)
    assert link is not None
    return link


def let_a_teacher_in(school: School, demo: DemoSchool, *, now: dt.datetime) -> None:
    """Give a tutor whom the MIS names a login that sees the tutor group. Made once."""
    if Membership.objects.filter(school=school, role=Role.TEACHER).exists():
        return
    groups = {group.name: group for group in Group.objects.filter(school=school, kind=GroupKind.REGISTRATION)}
    tutors = Staff.objects.filter(school=school, leaving_date=None, tutor_of__in=list(groups)).order_by(
        "tutor_of", "pk"
    )
    tutor = tutors.first()
    if tutor is None:
        return
    by = administrator(school, demo)
    account = join(school, demo.teacher_email, f"{tutor.forename} {tutor.surname}", Role.TEACHER, by=by, now=now)
    membership = Membership.objects.get(school=school, account=account, ended_at=None)
    people.set_group_access(membership=membership, groups=[groups[tutor.tutor_of]], by=by, now=now)
    people.connect(staff=tutor, account=account, verified={}, by_name=str(account), now=now)
