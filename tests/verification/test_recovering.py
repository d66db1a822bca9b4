"""Getting back in: two parents with one mailbox, each for themselves and neither for the other."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pyotp
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from hub.accounts import recovery_codes, second_factor, signing_in, tokens
from hub.accounts.models import Account, Role
from hub.core import scope
from hub.core.models import School
from hub.messaging.models import Notice
from hub.people.models import Connection, ContactDetail
from tests.conftest import join
from tests.factories.inbox import last_code, mails_to
from tests.factories.logins import a_parent, a_record
from tests.factories.people import give, make_contact, make_pupil
from verification.changes.drafting import draft
from verification.errors import CodeRefused, LinkRefused
from verification.lifecycle.leaving import reset
from verification.models import Origin, RecoveryLink, RecoveryRequest, Status
from verification.recovery import reach, recovering, rules
from verification.recovery.recovering import Recovery
from verification.recovery.rules import Proven, Standing, Way

FAMILY = "family@example.org"
HERS, HIS = "+447700900111", "+447700900222"
NEW = "three unlike words here"


@pytest.fixture
def family(school: School) -> dict[str, Any]:
    """Ngozi and Emeka share a mailbox; it signs Ngozi in, and he signs in by his mobile."""
    millie = make_pupil(school, "Millie")
    ngozi, hers = a_parent(school, pupil=millie, email=FAMILY, mobile=HERS)
    emeka, his = a_parent(
        school, "Emeka", "Okafor", pupil=millie, email=FAMILY, mobile=HIS, signs_in_by={"mobile": HIS}
    )
    return {"ngozi": ngozi, "hers": hers, "emeka": emeka, "his": his}


def ask(name: str, client: Client | None = None) -> Client:
    """Ask for a way back in, and let the worker answer."""
    client = client or Client()
    response = client.post(reverse("recovery:begin"), {"name": name})
    assert (response.status_code, response["Location"]) == (302, reverse("recovery:sent"))
    work()
    return client


def work() -> None:
    for pk in RecoveryRequest.objects.filter(answered_at=None).values_list("pk", flat=True):
        recovering.answer(request_id=pk, now=timezone.now())


def links_in(mailbox: str) -> dict[str, str]:
    """Return, by first name, the links of the newest mail."""
    lines = mails_to(mailbox)[-1].body.splitlines()
    found = {}
    for place, line in enumerate(lines):
        if "/recover/link/" in line:
            label = next((one for one in reversed(lines[:place]) if one.strip()), "")
            found[label.rstrip(":")] = line[line.index("/recover/") :]
    return found


def follow(client: Client, link: str) -> str:
    """Open a link and press on; return the page that this leads to."""
    assert client.get(link)["Location"] == reverse("recovery:login")
    answer = client.post(reverse("recovery:login"))
    return str(answer.get("Location", "") or answer.content.decode())


def set_password(client: Client) -> Any:
    return client.post(reverse("recovery:password"), {"password": NEW})


def who(client: Client) -> int | None:
    """Return which login this browser is signed in to."""
    pk = client.session.get("_auth_user_id")
    return int(pk) if pk else None


def opens(account: Account, word: str = NEW) -> bool:
    account.refresh_from_db()
    return account.check_password(word)


# The plain case


def test_a_parent_with_a_mailbox_of_their_own_gets_back_in_by_it(school: School) -> None:
    account, _ = a_parent(school, email="alone@example.org", mobile=HERS)
    elsewhere = Client()
    elsewhere.force_login(account)
    client = ask(" Alone@Example.org ")
    (link,) = links_in("alone@example.org").values()
    assert follow(client, link) == reverse("recovery:password")
    assert set_password(client)["Location"] == "/"
    assert who(client) == account.pk
    assert opens(account)
    assert "device" in client.cookies, "the browser is known from now on"
    assert elsewhere.get("/account/").status_code == 302, "other sessions end"
    told = [one.to for one in Notice.objects.filter(kind="security") if one.to in ("alone@example.org", HERS)]
    assert sorted(set(told)) == [HERS, "alone@example.org"]
    again = Client()
    again.get(link)
    assert again.get(reverse("recovery:login")).status_code == 410, "a link is good once"


def test_a_mobile_of_ones_own_gets_back_in_by_a_code(school: School) -> None:
    account, _ = a_parent(school, email="alone@example.org", mobile=HERS)
    client = ask("07700 900 111")
    answer = client.post(reverse("recovery:sent"), {"code": last_code(HERS)})
    assert answer["Location"] == reverse("recovery:login")
    assert client.post(reverse("recovery:login"))["Location"] == reverse("recovery:password")
    set_password(client)
    assert (who(client), opens(account)) == (account.pk, True)


def test_opening_links_changes_nothing_however_often(school: School) -> None:
    account, _ = a_parent(school, email="alone@example.org")
    client = ask("alone@example.org")
    (link,) = links_in("alone@example.org").values()
    before = list(RecoveryLink.objects.values()), Account.objects.get(pk=account.pk).password
    for _ in range(3):
        scanner = Client()
        scanner.head(link)
        scanner.get(link, follow=True)
        scanner.get(reverse("recovery:second"))
        scanner.get(reverse("recovery:password"))
    assert (list(RecoveryLink.objects.values()), Account.objects.get(pk=account.pk).password) == before
    follow(client, link)
    assert set_password(client).status_code == 302


def test_a_link_is_good_for_thirty_minutes_and_no_token_stays_in_an_address(school: School) -> None:
    account, _ = a_parent(school, email="alone@example.org")
    now = timezone.now()
    token, made = recovering._make_link(account, "alone@example.org", now)
    assert len(token) >= 43
    assert made.token_hash == tokens.hashed(token)
    recovering.look(token_hash=made.token_hash, now=now + dt.timedelta(minutes=30) - dt.timedelta(seconds=1))
    with pytest.raises(LinkRefused):
        recovering.look(token_hash=made.token_hash, now=now + dt.timedelta(minutes=30))
    response = Client().get(reverse("recovery:link", args=[token]))
    assert token not in response["Location"]
    assert "no-store" in response["Cache-Control"]


# Nobody learns who is known


@pytest.mark.parametrize(
    ("known", "unknown"), [(FAMILY, "nobody@example.org"), ("07700900111", "07700 900999"), ("07700900111", "x")]
)
def test_body_status_and_work_are_the_same_whether_an_address_is_known(
    family: dict[str, Any], known: str, unknown: str
) -> None:
    kinds = {}
    for name in (known, unknown):
        client = Client()
        with CaptureQueriesContext(
            connection,
        ) as asked:
            answer = client.post(reverse("recovery:begin"), {"name": name})
        work()
        page = client.get(reverse("recovery:sent"))
        words = [query["sql"].split()[:3] for query in asked.captured_queries]
        kinds[name] = (answer.status_code, answer["Location"], page.status_code, words, _without_token(page))
    assert kinds[known] == kinds[unknown]
    assert not any("people_" in query["sql"] or "accounts_account" in query["sql"] for query in asked.captured_queries)


def _without_token(page: Any) -> str:
    """Return a page without what is new each time: the token against forged forms."""
    return re.sub(r"[A-Za-z0-9]{64}", "", page.content.decode())


def test_a_wrong_code_is_told_the_same_of_a_number_nobody_has(family: dict[str, Any]) -> None:
    said = []
    for name in ("07700900111", "07700900999"):
        client = ask(name)
        pages = [client.post(reverse("recovery:sent"), {"code": "000000"}) for _ in range(7)]
        said.append([(page.status_code, _without_token(page)) for page in pages])
    assert said[0] == said[1]


def test_what_was_typed_is_kept_encrypted_and_names_no_task(family: dict[str, Any], monkeypatch: Any) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(recovering, "_enqueue", lambda task, pk: sent.append(pk))
    made = recovering.ask(typed=FAMILY, now=timezone.now())
    assert FAMILY.encode() not in bytes(made.sealed_name)
    assert FAMILY not in made.name_hash


def test_an_address_gets_only_so_many_mails(family: dict[str, Any]) -> None:
    now = timezone.now()
    for minute in range(8):
        made = recovering.ask(typed=FAMILY, now=now + dt.timedelta(minutes=minute))
        recovering.answer(request_id=made.pk, now=now + dt.timedelta(minutes=minute))
    assert len(mails_to(FAMILY)) == rules.MOST_AT_ONCE
    assert RecoveryRequest.objects.filter(answered_at=None).count() == 0


def test_whoever_asks_for_anothers_mails_all_day_keeps_no_owner_out(family: dict[str, Any]) -> None:
    """At any moment the mailbox has a link that is good for a quarter of an hour more, or asking brings one."""
    begun = timezone.now()
    for minute in range(0, 4 * 60, 5):
        now = begun + dt.timedelta(minutes=minute)
        made = recovering.ask(typed=FAMILY, now=now)
        recovering.answer(request_id=made.pk, now=now)
        newest = RecoveryLink.objects.filter(sent_to=FAMILY).order_by("-made_at").first()
        assert newest is not None
        assert newest.expires_at - now > dt.timedelta(minutes=15)
    told = len(mails_to(FAMILY))
    assert told <= rules.MOST_A_DAY + 4 * 4  # twenty soon, then one in a quarter of an hour


def test_texts_end_at_twenty_a_day() -> None:
    now = timezone.now()
    sent = [now - dt.timedelta(minutes=20 + i) for i in range(rules.MOST_A_DAY)]
    assert not rules.may_send(sent, now, by_link=False)
    assert rules.may_send(sent, now, by_link=True)
    assert rules.may_send(sent[1:], now, by_link=False)
    assert not rules.may_send([*sent, now - dt.timedelta(minutes=14)], now, by_link=True)


def test_asking_too_often_says_that_what_came_is_still_good_and_the_same_of_everybody(family: dict[str, Any]) -> None:
    said = set()
    for name in (FAMILY, "nobody@example.org"):
        pages = [Client().post(reverse("recovery:begin"), {"name": name}) for _ in range(6)]
        assert pages[5].status_code == 422
        assert "open the newest one" in pages[5].text
        said.add(_without_token(pages[5]).replace(name, "NAME"))
    assert len(said) == 1


def test_links_are_forgotten_a_week_after_their_end_and_letters_that_were_not_used_are_not(
    family: dict[str, Any],
) -> None:
    now = timezone.now()
    made = recovering.ask(typed=FAMILY, now=now)
    recovering.answer(request_id=made.pk, now=now)
    kept = RecoveryLink.objects.create(
        account=Account.objects.first(), token_hash="x", by_office="Priya Shah", made_at=now, expires_at=now
    )
    recovering.sweep(now + dt.timedelta(days=6))
    assert RecoveryLink.objects.filter(sent_to=FAMILY).exists()
    recovering.sweep(now + dt.timedelta(days=8))
    assert list(RecoveryLink.objects.all()) == [kept]


def test_a_request_is_answered_once_and_found_again_by_the_sweep(family: dict[str, Any]) -> None:
    now = timezone.now()
    made = recovering.ask(typed=FAMILY, now=now)
    assert recovering.sweep(now) == 0, "a worker has it"
    assert recovering.sweep(now + dt.timedelta(seconds=30)) == 1
    recovering.answer(request_id=made.pk, now=now + dt.timedelta(seconds=40))
    assert len(mails_to(FAMILY)) == 1
    recovering.sweep(now + dt.timedelta(days=8))
    assert not RecoveryRequest.objects.exists()


# Two parents, one mailbox


def test_the_mail_has_a_link_for_each_by_first_name_alone(family: dict[str, Any]) -> None:
    ask(FAMILY)
    mail = mails_to(FAMILY)[-1]
    assert set(links_in(FAMILY)) == {"Ngozi", "Emeka"}
    assert "Okafor" not in mail.body
    assert "900111" not in mail.body
    assert "900222" not in mail.body


@pytest.mark.parametrize(("me", "mobile"), [("ngozi", HERS), ("emeka", HIS)])
def test_each_gets_back_into_their_own_by_what_only_they_have(family: dict[str, Any], me: str, mobile: str) -> None:
    client = ask(FAMILY)
    assert follow(client, links_in(FAMILY)[me.capitalize()]) == reverse("recovery:second")
    client.post(reverse("recovery:second"), {"way": "mobile"})
    answer = client.post(reverse("recovery:code"), {"code": last_code(mobile)})
    assert answer["Location"] == reverse("recovery:password")
    assert set_password(client)["Location"] == "/"
    assert who(client) == family[me].pk
    other = family["emeka" if me == "ngozi" else "ngozi"]
    assert not opens(other)


def test_he_opens_her_link_and_comes_no_further(family: dict[str, Any]) -> None:
    client = ask(FAMILY)
    assert follow(client, links_in(FAMILY)["Ngozi"]) == reverse("recovery:second")
    assert client.get(reverse("recovery:password"))["Location"] == reverse("recovery:second")
    assert set_password(client)["Location"] == reverse("recovery:second")
    page = client.get(reverse("recovery:second")).content.decode()
    assert "111" not in page
    assert 'value="email"' not in page, "the mailbox they share is no second proof"
    client.post(reverse("recovery:second"), {"way": "email"})
    client.post(reverse("recovery:second"), {"way": "passkey"})
    client.post(reverse("recovery:second"), {"way": "mobile"})
    for guess in ("000000", "111111", last_code(HERS)[::-1] + "9"):
        client.post(reverse("recovery:code"), {"code": guess[:6]})
        assert set_password(client)["Location"] == reverse("recovery:second")
    assert who(client) is None
    assert not opens(family["ngozi"])


def test_what_he_shows_of_himself_opens_his_own_only(family: dict[str, Any]) -> None:
    now = timezone.now()
    second_factor.give_time_code(account=family["emeka"], secret="A" * 32, now=now)
    codes_of_his = recovery_codes.make(account=family["emeka"], now=now)
    second_factor.give_time_code(account=family["ngozi"], secret="B" * 32, now=now)
    client = ask(FAMILY)
    links = links_in(FAMILY)
    follow(client, links["Ngozi"])
    for mine in (pyotp.TOTP("A" * 32).now(), codes_of_his[0]):
        answer = client.post(reverse("recovery:factor"), {"factor": mine})
        assert answer.status_code == 422
    follow(client, links["Emeka"])
    assert client.post(reverse("recovery:factor"), {"factor": codes_of_his[0]})["Location"] == reverse(
        "recovery:password"
    )
    client.get(links["Ngozi"])  # his own proof is given; now her link, in the same browser
    assert set_password(client)["Location"] == reverse("recovery:second")
    assert not opens(family["ngozi"])


def test_a_code_for_his_login_is_not_one_for_hers(family: dict[str, Any]) -> None:
    now = timezone.now()
    his = look(family["emeka"], FAMILY, now)
    hers = look(family["ngozi"], FAMILY, now)
    sent = recovering.send_second(recovery=his, way=Way.MOBILE, now=now)
    with pytest.raises(CodeRefused):
        recovering.check_second(recovery=hers, code_id=sent.pk, typed=last_code(HIS), now=now)
    with pytest.raises(LinkRefused):
        recovering.finish(recovery=hers, second="", password=NEW, now=now)
    with pytest.raises(LinkRefused):
        recovering.finish(recovery=hers, second="email", password=NEW, now=now)
    assert not opens(family["ngozi"])


def look(account: Account, address: str, now: dt.datetime) -> Recovery:
    link = recovering._make_link(account, address, now)[1]
    return recovering.look(token_hash=link.token_hash, now=now)


def test_his_taking_the_shared_address_out_of_his_own_record_does_not_make_it_hers_alone(
    family: dict[str, Any],
) -> None:
    ContactDetail.objects.filter(contact=family["his"], kind="email").delete()
    row = draft(
        owner=family["his"],
        field="email",
        old_value=FAMILY,
        new_value="",
        origin=Origin.PERSON,
        made_by="Emeka",
        status=Status.APPROVED,
        now=timezone.now(),
    )
    row.effective_at = timezone.now()
    row.save()
    assert look(family["ngozi"], FAMILY, timezone.now()).needs_second


@pytest.mark.parametrize("said_by", ["value", "mis", "unconnected", "other school", "login"])
def test_a_mailbox_is_shared_whoever_else_is_known_by_it(school: School, other_school: School, said_by: str) -> None:
    account, _ = a_parent(school, email="mine@example.org", mobile=HERS)
    assert not look(account, "mine@example.org", timezone.now()).needs_second
    if said_by == "value":
        a_parent(school, "Emeka", email="mine@example.org", signs_in_by={"mobile": HIS})
    elif said_by == "mis":
        _, his = a_parent(school, "Emeka", email="his@example.org")
        ContactDetail.objects.filter(contact=his).update(mis_value="mine@example.org")
    elif said_by == "unconnected":
        give(make_contact(school, "Emeka"), "email", "mine@example.org")
    elif said_by == "other school":
        with scope.schools(other_school.pk):
            give(make_contact(other_school, "Emeka"), "email", "mine@example.org")
    else:
        Account.objects.filter(pk=account.pk).update(email=None)
        Account.objects.create_user("mine@example.org")
    assert look(account, "mine@example.org", timezone.now()).needs_second


def test_what_an_address_leads_to_is_looked_up_by_indexes(family: dict[str, Any], school: School) -> None:
    """At all schools together, while somebody waits: no table of people is read whole."""
    people = re.compile(r'FROM "((?:people|verification)_(?!merge)[a-z]+)"')
    with CaptureQueriesContext(connection) as queries:
        reach.logins_reached_by("email", FAMILY)
        assert reach.standing_of(family["ngozi"], "email", FAMILY).first.shared
        assert not reach.standing_of(family["ngozi"], "mobile", HERS).first.shared, "so everything was asked"
        assert reach.proven_addresses(family["ngozi"])
    asked = [one["sql"] for one in queries if people.search(one["sql"])]
    assert len(asked) > 20
    with scope.every_school(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for sql in asked:
            # In a table of a few rows their order may be had by walking a key, which says nothing of a large one.
            cursor.execute(f"EXPLAIN (COSTS OFF) {re.sub(r' ORDER BY [^()]*$', '', sql)}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
            assert "Seq Scan" not in plan, f"{sql}\n{plan}"
            assert "Index Cond" in plan, f"{sql}\n{plan}"


def test_nobody_makes_anothers_mailbox_a_shared_one_by_typing_it(family: dict[str, Any], school: School) -> None:
    account, _ = a_parent(school, "Ada", "Bell", email="ada@example.org")
    row = draft(
        owner=family["his"],
        field="email",
        new_value="ada@example.org",
        origin=Origin.PERSON,
        made_by="Emeka",
        status=Status.WAITING,
        now=timezone.now(),
    )
    row.save()
    assert not look(account, "ada@example.org", timezone.now()).needs_second


def test_the_same_parent_at_another_school_shares_nothing_with_herself(school: School, other_school: School) -> None:
    account, _ = a_parent(school, email="mine@example.org", mobile=HERS)
    with scope.schools(other_school.pk):
        other = make_contact(other_school, "Ngozi", "OKAFOR")
        give(other, "email", "mine@example.org")
        assert look(account, "mine@example.org", timezone.now()).needs_second, "a name and a mailbox are one sign"
        give(other, "mobile", HERS)
    assert not look(account, "mine@example.org", timezone.now()).needs_second
    with scope.schools(other_school.pk):
        a_login = Account.objects.create_user("else@example.org")
        Connection.objects.create(
            school=other_school, contact=other, account=a_login, connected_at=timezone.now(), invited_at=timezone.now()
        )
    assert look(account, "mine@example.org", timezone.now()).needs_second, "another login is another person"


def test_her_other_mailbox_at_another_school_is_a_second_proof(
    family: dict[str, Any], school: School, other_school: School
) -> None:
    a_record(family["ngozi"], other_school, email="hers@example.org")
    client = ask(FAMILY)
    follow(client, links_in(FAMILY)["Ngozi"])
    client.post(reverse("recovery:second"), {"way": "email"})
    client.post(reverse("recovery:code"), {"code": last_code("hers@example.org")})
    set_password(client)
    assert who(client) == family["ngozi"].pk


def test_where_both_are_shared_only_the_office_tells_them_apart(family: dict[str, Any], office: Account) -> None:
    ContactDetail.objects.filter(contact=family["his"], kind="mobile").update(value=HERS)
    client = ask(FAMILY)
    page = follow(client, links_in(FAMILY)["Ngozi"])
    assert page == reverse("recovery:second")
    assert "Ask the school office" in client.get(page).content.decode()
    printed = reset(owner=family["hers"], by=office, now=timezone.now())
    assert printed.same_login
    assert printed.letter.startswith(b"%PDF")


def test_a_shared_mobile_offers_each_login_and_asks_for_the_other_proof(family: dict[str, Any], school: School) -> None:
    ContactDetail.objects.filter(contact=family["his"], kind="mobile").update(value=HERS)
    ContactDetail.objects.filter(contact=family["hers"], kind="email").update(value="hers@example.org")
    Account.objects.filter(pk=family["ngozi"].pk).update(email="hers@example.org")
    client = ask("07700900111")
    assert client.post(reverse("recovery:sent"), {"code": last_code(HERS)})["Location"] == reverse("recovery:which")
    page = client.get(reverse("recovery:which")).content.decode()
    assert "Ngozi" in page
    assert "Emeka" in page
    assert client.post(reverse("recovery:which"), {"login": "7"}).status_code == 200
    assert client.post(reverse("recovery:which"), {"login": "0"})["Location"] == reverse("recovery:login")
    assert client.post(reverse("recovery:login"))["Location"] == reverse("recovery:second")
    client.post(reverse("recovery:second"), {"way": "email"})
    client.post(reverse("recovery:code"), {"code": last_code("hers@example.org")})
    set_password(client)
    assert who(client) == family["ngozi"].pk


def test_a_second_proof_grows_old_and_an_address_that_moved_opens_nothing(family: dict[str, Any]) -> None:
    now = timezone.now()
    made = recovering._make_link(family["ngozi"], FAMILY, now)[1]
    ContactDetail.objects.filter(contact=family["hers"], kind="email").update(value="new@example.org")
    Account.objects.filter(pk=family["ngozi"].pk).update(email="new@example.org")
    with pytest.raises(LinkRefused):
        recovering.look(token_hash=made.token_hash, now=now)


def test_an_unproven_detail_leads_to_no_login(school: School) -> None:
    _, contact = a_parent(school, mobile=HERS)
    give(contact, "email", "typo@example.org")
    ask("typo@example.org")
    assert mails_to("typo@example.org") == []


def test_of_two_tabs_one_wins(school: School) -> None:
    account, _ = a_parent(school, email="alone@example.org")
    now = timezone.now()
    first, second = look(account, "alone@example.org", now), look(account, "alone@example.org", now)
    recovering.finish(recovery=first, second="", password=NEW, now=now)
    with pytest.raises(LinkRefused):
        recovering.finish(recovery=second, second="", password="another set of words", now=now)
    assert opens(account)


# Those with a second factor, and staff


def test_a_parents_authenticator_is_asked_for_and_no_text_stands_in_for_it(school: School) -> None:
    account, _ = a_parent(school, email="alone@example.org", mobile=HERS)
    second_factor.give_time_code(account=account, secret="B" * 32, now=timezone.now())
    client = ask("alone@example.org")
    (link,) = links_in("alone@example.org").values()
    assert follow(client, link) == reverse("recovery:second")
    assert "my mobile" not in client.get(reverse("recovery:second")).content.decode()
    client.post(reverse("recovery:second"), {"way": "mobile"})
    assert set_password(client)["Location"] == reverse("recovery:second")
    client.post(reverse("recovery:factor"), {"factor": pyotp.TOTP("B" * 32).now()})
    set_password(client)
    assert who(client) == account.pk


def test_guessing_at_a_time_code_rests(school: School) -> None:
    account, _ = a_parent(school, email="alone@example.org")
    second_factor.give_time_code(account=account, secret="B" * 32, now=timezone.now())
    client = ask("alone@example.org")
    (link,) = links_in("alone@example.org").values()
    follow(client, link)
    pages = [client.post(reverse("recovery:factor"), {"factor": "000000"}).content.decode() for _ in range(6)]
    assert "too many times" in pages[-1]


def test_staff_need_their_second_factor_and_without_one_an_administrator(school: School) -> None:
    account = join(school, "head@example.org", "Helen Ward", Role.ADMINISTRATOR)
    Account.objects.filter(pk=account.pk).update(second_factor_at=None)
    client = ask("head@example.org")
    (link,) = links_in("head@example.org").values()
    assert client.get(link)["Location"] == reverse("recovery:login")
    assert "Ask your administrator" in client.get(reverse("recovery:login")).content.decode()
    assert set_password(client)["Location"] == reverse("recovery:second")
    second_factor.give_time_code(account=account, secret="C" * 32, now=timezone.now())
    assert follow(client, link) == reverse("recovery:second")
    client.post(reverse("recovery:factor"), {"factor": pyotp.TOTP("C" * 32).now()})
    set_password(client)
    assert who(client) == account.pk


def test_a_passkey_of_another_login_is_no_proof(family: dict[str, Any], monkeypatch: Any) -> None:
    second_factor.give_time_code(account=family["ngozi"], secret="B" * 32, now=timezone.now())
    monkeypatch.setattr(rules, "ways", lambda standing: [Way.PASSKEY])
    client = ask(FAMILY)
    follow(client, links_in(FAMILY)["Ngozi"])
    for owner, status in ((family["emeka"], 422), (family["ngozi"], 200)):
        monkeypatch.setattr("hub.accounts.passkeys.finish_sign_in", lambda *_, owner=owner, **__: owner)
        answer = client.post(reverse("recovery:passkey"), b"{}", content_type="application/json")
        assert answer.status_code == status


def test_a_login_without_a_name_signs_in_and_makes_a_passkey(school: School) -> None:
    account, _ = a_parent(school, email="alone@example.org", signs_in_by={})
    client = ask("alone@example.org")
    (link,) = links_in("alone@example.org").values()
    follow(client, link)
    assert client.post(reverse("recovery:password"))["Location"] == reverse("account:home")
    assert who(client) == account.pk


# The rules


def standing(**said: Any) -> Standing:
    return Standing(**{"first": Proven("email", "a@example.org", False)} | said)  # type: ignore[arg-type]


def test_what_is_shared_is_never_a_second_proof() -> None:
    first = Proven("email", "a@example.org", True)
    both = standing(first=first, others=(first, Proven("mobile", HERS, True)))
    assert rules.needs_second(both)
    assert rules.ways(both) == []
    one = standing(first=first, others=(Proven("mobile", HERS, True), Proven("mobile", HIS, False)))
    assert rules.ways(one) == [Way.MOBILE]
    assert [proof.value for proof in rules.usable(one)] == [HIS]


def test_the_address_that_was_shown_first_is_not_asked_for_again() -> None:
    first = Proven("email", "a@example.org", False)
    assert rules.usable(standing(others=(first,))) == []


def test_recovery_codes_count_only_beside_a_factor() -> None:
    assert rules.ways(standing(recovery_codes=True)) == []
    assert rules.ways(standing(recovery_codes=True, time_code=True)) == [Way.TIME_CODE, Way.RECOVERY_CODE]


def test_two_of_one_first_name_are_numbered() -> None:
    assert rules.labels(["Ngozi Okafor", "Emeka Okafor", "Ngozi Bell", ""]) == [
        "Ngozi",
        "Emeka",
        "Ngozi (2)",
        "Somebody",
    ]


def test_every_address_is_told_once(family: dict[str, Any]) -> None:
    assert reach.proven_addresses(family["ngozi"]) == [FAMILY, HERS]


def test_a_signed_in_stranger_becomes_the_one_who_got_back_in(school: School, family: dict[str, Any]) -> None:
    account, _ = a_parent(school, "Ada", "Bell", email="ada@example.org")
    client = Client()
    client.force_login(family["emeka"])
    ask("ada@example.org", client)
    (link,) = links_in("ada@example.org").values()
    follow(client, link)
    set_password(client)
    assert who(client) == account.pk
    assert signing_in.PROVED in client.session
