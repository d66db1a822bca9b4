"""How people want their notices: the registry, the choices, and the page."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from hub.accounts.models import Account
from hub.core.models import School
from hub.messaging import choices, kinds
from hub.messaging.kinds import KINDS, PARENTS, STAFF
from hub.messaging.models import How, NoticeChoice
from tests.factories.people import make_contact, tie


def hows(account: Account, audience: str) -> dict[str, str]:
    return {one.kind.key: one.how for one in choices.choices_of(account, audience)}


def test_codes_invitations_and_warnings_always_come_at_once() -> None:
    for key in ("code", "invitation", "recovery", "security", "change_made", "concern"):
        assert KINDS[key].ways == (How.INSTANT,), key


def test_what_holds_a_code_or_a_link_cannot_wait_for_a_summary() -> None:
    assert all(not kind.choosable for kind in KINDS.values() if kind.secret)


def test_a_question_with_a_deadline_cannot_be_switched_off() -> None:
    assert How.NEVER not in KINDS["proposal"].ways


@pytest.mark.parametrize("audience", [STAFF, PARENTS])
def test_each_audience_has_its_own_kinds_and_those_to_choose_come_first(audience: str) -> None:
    found = kinds.kinds_for(audience)
    assert [one.choosable for one in found] == sorted((one.choosable for one in found), reverse=True)
    other = "weekly_report" if audience == PARENTS else "proposal"
    assert other not in {one.key for one in found}


def test_a_choice_is_remembered_and_may_change(office: Account) -> None:
    assert hows(office, STAFF)["proposal_answered"] == "instant"
    choices.choose(account=office, kind="proposal_answered", how="summary")
    choices.choose(account=office, kind="proposal_answered", how="never")
    assert hows(office, STAFF)["proposal_answered"] == "never"
    assert NoticeChoice.objects.count() == 1


@pytest.mark.parametrize(
    ("kind", "how"), [("code", "never"), ("proposal", "never"), ("nonsense", "instant"), ("reminder", "weekly")]
)
def test_a_way_that_a_kind_does_not_come_in_is_refused(office: Account, kind: str, how: str) -> None:
    with pytest.raises(choices.ChoiceRefused):
        choices.choose_all(account=office, wanted={"reminder": "never", kind: how})
    assert not NoticeChoice.objects.exists()


def test_a_choice_that_the_kind_no_longer_offers_does_not_count(office: Account) -> None:
    NoticeChoice.objects.create(account=office, kind="proposal", how="never")
    assert choices.how(KINDS["proposal"], office) == How.INSTANT


def test_staff_choose_on_their_page(office: Account, signed_in: Callable[[Account], Client]) -> None:
    client = signed_in(office)
    page = client.get("/account/notices/").text
    assert "A parent answered" in page
    assert "Somebody may be at risk" in page
    assert "Reminders" not in page
    answer = client.post("/account/notices/", {"how-proposal_answered": "summary", "how-reminder": "never"})
    assert (answer.status_code, answer["Location"]) == (302, "/account/notices/")
    assert hows(office, STAFF)["proposal_answered"] == "summary"
    assert "Saved" in client.get("/account/notices/").text
    assert not NoticeChoice.objects.filter(kind="reminder").exists()


def test_who_is_both_chooses_for_both(school: School, office: Account, signed_in: Callable[[Account], Client]) -> None:
    tie(make_contact(school), office)
    page = signed_in(office).get("/account/notices/").text
    assert "A parent answered" in page
    assert "Reminders" in page
    assert page.count("Your sign-in") == 1


def test_nonsense_is_refused_in_words(office: Account, signed_in: Callable[[Account], Client]) -> None:
    client = signed_in(office)
    client.post("/account/notices/", {"how-proposal_answered": "weekly"})
    assert "does not come in that way" in client.get("/account/notices/").text


def test_nobody_chooses_without_signing_in(db: None) -> None:
    for answer in (Client().get("/account/notices/"), Client().post("/account/notices/")):
        assert answer.status_code == 302
        assert answer["Location"].startswith("/sign-in/")
