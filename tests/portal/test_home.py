"""Home: what waits first, then the children; and nothing but what needs the parent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from hub.accounts.models import Account
from hub.core import scope
from hub.core.models import School
from hub.people.models import ContactDetail
from tests.factories.parents import make_login, make_parent
from tests.factories.people import give, make_contact, make_pupil, make_staff, tie
from tests.portal.conftest import DAY, Parent, ask
from verification.models import DetailChange, MisState, Status
from verification.reporting import settling

HOME = reverse("portal:home")


def home(parent: Parent) -> str:
    answer = parent.client.get(HOME)
    assert answer.status_code == 200
    return answer.text.replace("<wbr>", "")


def test_the_greeting_goes_with_the_time_of_day() -> None:
    from hub.portal.pages import _greeting

    class Asked:
        connections = ()
        account = Account(name="Ngozi Okafor")

    said = [
        _greeting(Asked(), dt.datetime(2026, 11, 23, hour, 30, tzinfo=dt.UTC))  # type: ignore[arg-type]
        for hour in (0, 11, 12, 17, 18, 23)
    ]
    assert [one.split(",")[0] for one in said] == [
        "Good morning", "Good morning", "Good afternoon", "Good afternoon", "Good evening", "Good evening",
    ]  # fmt: skip
    assert all(one.endswith("Ngozi Okafor") for one in said)


def test_a_calm_day_says_that_nothing_is_needed(ngozi: Parent) -> None:
    page = home(ngozi)
    assert "Nothing needs you" in page
    assert "Millie Okafor" in page
    assert "Larch Hill Primary" in page


def test_a_question_says_who_asks_what_and_what_happens_if_one_does_nothing(ngozi: Parent) -> None:
    asked_at = timezone.now().replace(hour=12, minute=5) - 3 * DAY
    ask(ngozi.contact, made_at=asked_at)
    page = home(ngozi).replace("\u00a0", " ")
    assert "Larch Hill Primary wants to change your email" in page
    assert "by Priya Shah at the school office" in page
    deadline = timezone.localtime(asked_at + 7 * DAY)
    assert f"If you do nothing by <strong>{deadline:%a} {deadline.day} {deadline:%b}, {deadline:%H:%M}</strong>" in page
    assert "Yes, change it" in page
    assert "No, keep mine" in page
    assert "1 thing waits for you" in page


def test_with_several_schools_a_yes_can_go_to_all_or_to_the_one_that_asks(ngozi_at_both: Parent) -> None:
    ask(ngozi_at_both.contact)
    page = home(ngozi_at_both)
    assert "Yes, at all my schools" in page
    assert "Yes, only at Larch Hill Primary" in page


def test_two_schools_that_ask_for_the_same_are_one_question(ngozi_at_both: Parent) -> None:
    ask(ngozi_at_both.contact)
    ask(ngozi_at_both.elsewhere)
    page = home(ngozi_at_both)
    assert "Beck Road Academy and Larch Hill Primary want to change your email" in page
    assert page.count("Yes, at all my schools") == 1
    assert "Yes, only at Larch Hill Primary" in page
    assert "Yes, only at Beck Road Academy" in page


def test_two_schools_that_differ_stand_side_by_side(ngozi_at_both: Parent) -> None:
    ask(ngozi_at_both.contact, "one@example.org")
    ask(ngozi_at_both.elsewhere, "two@example.org")
    page = home(ngozi_at_both)
    assert "Your schools have different emails for you" in page
    assert "one@example.org" in page
    assert "two@example.org" in page
    assert page.count("Yes, at all my schools") == 2


def test_a_question_whose_time_is_over_is_not_asked(ngozi: Parent) -> None:
    ask(ngozi.contact, made_at=timezone.now() - 7 * DAY)
    assert "wants to change" not in home(ngozi)


def test_an_offer_of_the_mis_can_be_taken_or_turned_down(
    school: School, signed_in: Callable[[Account], Client]
) -> None:
    tie_ = make_parent(school, make_login(), mobile="")
    assert tie_.contact is not None
    assert tie_.account is not None
    with scope.schools(school.pk):
        give(tie_.contact, "mobile", "", "+447700900456")
        settling.settle_owner(owner=tie_.contact, now=timezone.now())
    parent = Parent(tie_.account, [tie_], signed_in(tie_.account))
    page = home(parent).replace("\u00a0", " ")
    assert "Larch Hill Primary has 07700 900456 for you. Is it yours?" in page
    with scope.schools(school.pk):
        offer = DetailChange.objects.get(status=Status.OFFER)
    parent.client.post(reverse("portal:decline", args=[offer.pk]))
    assert "Is it yours?" not in home(parent)
    with scope.schools(school.pk):
        settling.settle(school=school, import_id=None, now=timezone.now())
        # The difference is listed for the office, but the parent is not asked twice.
        assert DetailChange.objects.get(status=Status.KEPT).mis_state == MisState.TO_UPDATE
        assert DetailChange.objects.get(status=Status.REJECTED).reason == "It is not mine."
    assert "Is it yours?" not in home(parent)


def test_a_value_that_nobody_confirmed_is_asked_about(ngozi_at_both: Parent) -> None:
    page = home(ngozi_at_both)
    assert "Is this still your mobile?" in page
    assert "Beck Road Academy: It came from the school&#x27;s own records" in page


def test_where_no_texts_go_nobody_is_asked_to_confirm_a_mobile(ngozi_at_both: Parent, settings: Any) -> None:
    settings.NOTICE_CARRIERS = {**settings.NOTICE_CARRIERS, "text": "hub.messaging.texting.Texting"}
    settings.TEXT_URL = ""
    assert "Is this still your mobile?" not in home(ngozi_at_both)
    mine = ngozi_at_both.client.get(reverse("portal:details")).content.decode()
    assert 'name="value" value="+44' not in mine, "the button that sends a code to it"
    answer = ngozi_at_both.client.post(
        reverse("portal:change", args=["mobile"]),
        {"value": "07700 900777", "where": [one.pk for one in ngozi_at_both.connections]},
    )
    assert "sends no texts yet" in answer.content.decode()


def test_a_change_that_waits_for_its_code_leads_back_to_the_code(ngozi: Parent) -> None:
    change = ask(ngozi.contact, "+447700900555", "mobile", status="waiting", origin="person")
    page = home(ngozi)
    assert "Finish your new mobile" in page
    assert reverse("portal:proof", args=[change.batch]) in page


def test_two_records_of_one_school_are_offered_as_one(ngozi: Parent, school: School) -> None:
    twin = make_contact(school, "Ngozi", "Okafor-Bell")
    tie(twin, ngozi.account)
    page = home(ngozi)
    assert "Two records at Larch Hill Primary are you. Make them one?" in page
    assert reverse("portal:merge", args=[ngozi.contact.pk, twin.pk]) in page


def test_one_who_is_also_staff_has_two_records_but_no_twin(ngozi: Parent, school: School) -> None:
    tie(make_staff(school, "Ngozi", "Okafor"), ngozi.account)
    assert "Make them one?" not in home(ngozi)


def test_a_frozen_login_reads_why_nothing_can_be_changed(ngozi: Parent) -> None:
    ask(ngozi.contact, status="frozen", origin="person", answered_at=timezone.now())
    assert "Your details are frozen" in home(ngozi)


def test_a_child_who_left_is_gone_the_same_day(ngozi: Parent, school: School) -> None:
    pupil = ngozi.pupil
    pupil.leaving_date = timezone.localdate()
    pupil.save()
    page = home(ngozi)
    assert "Millie" not in page
    assert "No school names a child of yours" in page


def test_a_login_without_a_connection_reads_what_to_do(db: None, signed_in: Callable[[Account], Client]) -> None:
    client = signed_in(make_login("nell@example.org", "Nell Frost"))
    for name in ("home", "children", "details", "approvals", "messages"):
        page = client.get(reverse(f"portal:{name}")).text
        assert "no school has connected you yet" in page, name
        assert "Back to the school" not in page


def test_staff_without_a_child_find_the_way_back(
    administrator: Account, signed_in: Callable[[Account], Client]
) -> None:
    assert "Back to the school" in signed_in(administrator).get(HOME).text


def test_staff_who_are_parents_find_their_children(
    administrator: Account, school: School, signed_in: Callable[[Account], Client]
) -> None:
    client = signed_in(administrator)
    overview = reverse("overview:overview", args=[school.slug])
    assert "My children" not in client.get(overview).text
    tie(make_contact(school, "Helen", "Ward", make_pupil(school, "Leo", "Ward")), administrator)
    assert "My children" in client.get(overview).text
    assert "Leo Ward" in client.get(HOME).text


def test_an_undeliverable_value_asks_for_another(ngozi: Parent) -> None:
    ContactDetail.objects.filter(contact=ngozi.contact, kind="email").update(deliverable=False)
    page = home(ngozi)
    assert "Is this still your email?" in page
    assert "Messages to it do not arrive" in page
