"""The hub's side of the agent: who may speak, what is taken, and what is answered."""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from hub.accounts.models import Account
from hub.core import scope
from hub.core.models import AuditEntry, School
from imports import services
from imports.agent import download, views
from imports.link import links
from imports.models import AgentToken, Import, LinkState, MisLink, Payload, ScheduledRun
from tests.factories.links import enabled_link

UPLOADS, HEARTBEAT, CHECK = "/agent/v1/uploads", "/agent/v1/heartbeat", "/agent/v1/check"


@pytest.fixture
def link(school: School, administrator: Account) -> MisLink:
    return enabled_link(school, by=administrator, since=timezone.now())


@pytest.fixture
def secret(link: MisLink, administrator: Account) -> str:
    return links.create_token(link=link, name="School server", by=administrator, now=timezone.now())[1]


def a_zip(text: str = "<SuperStarReport/>") -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("pupils.xml", text)
    return body.getvalue()


def send(secret: str, body: bytes, run_id: str = "run-00000001", **headers: str) -> tuple[int, dict[str, Any]]:
    client = Client(enforce_csrf_checks=True)
    base = {"Authorization": f"Bearer {secret}", "X-Run-Id": run_id, "X-Run-Started": "2026-11-23T02:00:00+00:00"}
    response = client.post(UPLOADS, body, content_type="application/zip", headers=base | headers)
    return response.status_code, response.json()


def say(secret: str, path: str, said: object) -> tuple[int, dict[str, Any]]:
    client = Client(enforce_csrf_checks=True)
    response = client.post(
        path, json.dumps(said), content_type="application/json", headers={"Authorization": f"Bearer {secret}"}
    )
    return response.status_code, response.json()


def test_an_upload_is_kept_with_its_run_and_when_it_began(link: MisLink, secret: str) -> None:
    status, answer = send(secret, a_zip())

    assert status == 200
    assert answer == {
        "sentence": "Thank you. It has arrived and is being imported.",
        "run_wanted": False,
        "reason": "",
    }
    payload = Payload.objects.get()
    assert (payload.run_id, payload.started_at) == ("run-00000001", dt.datetime(2026, 11, 23, 2, tzinfo=dt.UTC))
    assert AgentToken.objects.get().last_seen_at is not None


def test_the_same_run_sent_twice_is_one_import(link: MisLink, secret: str) -> None:
    body = a_zip()
    send(secret, body)
    status, answer = send(secret, body)

    assert status == 200
    assert "arrived already" in answer["sentence"]
    assert (Payload.objects.count(), Import.objects.count()) == (1, 1)


def test_an_upload_satisfies_the_night_and_what_was_asked_for(
    link: MisLink, secret: str, administrator: Account
) -> None:
    MisLink.objects.update(scheduled_since=timezone.now() - dt.timedelta(days=3))
    links.want_run(link=link, by=administrator, now=timezone.now())
    assert say(secret, HEARTBEAT, {})[1]["reason"] == "asked"

    send(secret, a_zip())

    link.refresh_from_db()
    assert link.wanted_at is None
    assert ScheduledRun.objects.filter(satisfied_by=Import.objects.get()).count() == 1
    assert say(secret, HEARTBEAT, {})[1]["run_wanted"] is False


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer nonsense", "Basic sg_x", "Bearer sg_" + "x" * 32])
def test_an_unknown_token_is_refused_and_nothing_is_kept(link: MisLink, header: str) -> None:
    response = Client().post(UPLOADS, a_zip(), content_type="application/zip", headers={"Authorization": header})

    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"
    assert "Download a new copy" in response.json()["sentence"]
    assert not Payload.objects.exists()


def test_a_copy_that_was_ended_is_told_when_and_by_whom(link: MisLink, secret: str, administrator: Account) -> None:
    links.revoke_token(
        token=AgentToken.objects.get(), by=administrator, now=dt.datetime(2026, 11, 21, 9, tzinfo=dt.UTC)
    )

    status, answer = send(secret, a_zip())

    assert status == 401
    assert answer["sentence"].startswith("This copy of the agent was replaced on Sat 21 Nov, 09:00 by Helen Ward.")


def test_a_new_copy_of_a_name_ends_the_old_one_when_it_is_first_heard(
    link: MisLink, secret: str, administrator: Account
) -> None:
    now = timezone.now()
    _, new = links.create_token(link=link, name="School server", by=administrator, now=now)
    _, other = links.create_token(link=link, name="Head's laptop", by=administrator, now=now)
    assert say(secret, HEARTBEAT, {})[0] == 200
    assert say(other, HEARTBEAT, {})[0] == 200

    assert say(new, HEARTBEAT, {})[0] == 200

    assert say(secret, HEARTBEAT, {})[0] == 401
    assert say(other, HEARTBEAT, {})[0] == 200
    assert AuditEntry.objects.filter(action="link.token_replaced").count() == 1


def test_what_arrives_over_a_disabled_link_is_kept_and_not_imported(
    link: MisLink, secret: str, administrator: Account
) -> None:
    links.disable(link=link, by=administrator, now=timezone.now())

    status, answer = send(secret, a_zip())

    assert status == 202
    assert "kept and not imported" in answer["sentence"]
    assert (Payload.objects.count(), Import.objects.count()) == (1, 0)


def test_the_first_arrival_enables_a_link_that_waited(school: School, administrator: Account) -> None:
    now = timezone.now()
    link = links.create_link(school=school, connector="sims", by=administrator, now=now)
    _, secret = links.create_token(link=link, name="School server", by=administrator, now=now)

    send(secret, a_zip())

    link.refresh_from_db()
    assert (link.state, link.state_by) == (LinkState.ENABLED, "Helen Ward")
    assert Import.objects.count() == 1


def test_an_upload_over_the_limit_is_refused_in_words_and_not_read_into_memory(
    link: MisLink, secret: str, settings: Any
) -> None:
    settings.UPLOAD_LIMIT = 1024

    status, answer = send(secret, b"x" * 5000)

    assert status == 413
    assert "larger than" in answer["sentence"]
    assert not Payload.objects.exists()


def test_an_upload_that_breaks_off_is_not_kept(link: MisLink, secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    body = a_zip()
    real = views.Body
    monkeypatch.setattr(views, "Body", lambda request, length: real(request, length + 1))

    status, answer = send(secret, body)

    assert status == 408
    assert "stopped half way" in answer["sentence"]
    assert not Payload.objects.exists()


@pytest.mark.parametrize("run_id", ["", "short", "a" * 65, "with space", "../../etc/passwd"])
def test_an_upload_names_its_run(link: MisLink, secret: str, run_id: str) -> None:
    status, answer = send(secret, a_zip(), run_id=run_id)

    assert status == 400
    assert "X-Run-Id" in answer["sentence"]


def test_every_address_is_for_posts_only(link: MisLink) -> None:
    for name in ("uploads", "heartbeat", "check"):
        assert Client().get(reverse(f"agent:{name}")).status_code == 405


@pytest.mark.parametrize("said", [[], "text", None, 3])
def test_a_message_that_is_no_object_is_refused(link: MisLink, secret: str, said: object) -> None:
    assert say(secret, HEARTBEAT, said)[0] == 400


def test_what_the_agent_says_is_cut_and_cleaned(link: MisLink, secret: str) -> None:
    said = {
        "version": "9" * 100,
        "host": ["no", "text"],
        "log": "early " * 20_000 + f"\0/PASSWORD:hunter22 {secret} the end",
        "checks": [{"name": "SIMS", "ok": "yes", "sentence": 7, "more": "x" * 9999}, "nonsense"] * 40,
        "last_run": {"ok": True, "sentence": "x" * 9999, "at": "2026-11-23T02:00:00+00:00"},
    }

    assert say(secret, CHECK, said)[0] == 200

    token = AgentToken.objects.get()
    assert (len(token.agent_version), token.host_name) == (20, "")
    assert len(token.log_tail) == 64_000
    assert token.log_tail.endswith("/PASSWORD:*** *** the end")
    assert len(token.last_check["checks"]) == 15
    assert token.last_check["checks"][0] == {"name": "SIMS", "ok": False, "sentence": "", "advice": ""}
    assert len(token.last_check["run"]["sentence"]) == 500


def test_a_heartbeat_keeps_what_the_last_check_found(link: MisLink, secret: str) -> None:
    say(secret, CHECK, {"checks": [{"name": "SIMS", "ok": True, "sentence": "It is there."}]})
    say(secret, HEARTBEAT, {"version": "1.0", "log": "a line"})

    token = AgentToken.objects.get()
    assert token.last_check["checks"][0]["name"] == "SIMS"
    assert token.log_tail == "a line"


def test_a_token_opens_its_own_school_only(
    link: MisLink, secret: str, other_school: School, stranger: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, ...]] = []
    real = services.receive
    monkeypatch.setattr(services, "receive", lambda **given: (seen.append(scope.current_schools()), real(**given))[1])
    with scope.schools(other_school.pk):
        enabled_link(other_school, by=stranger, since=timezone.now())

    send(secret, a_zip())

    assert seen == [(link.school_id,)]
    with scope.schools(other_school.pk):
        assert not Payload.objects.exists()


def test_a_token_is_never_logged(link: MisLink, secret: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        send(secret, a_zip())
        send(secret + "x", a_zip())

    assert secret not in caplog.text


@pytest.mark.parametrize(
    "name",
    ["St John's", 'The "New" School', 'x"\nimport os\nos.abort()\ny = "', "Ysgol Gynradd Llŷn \\", "# ====", "学校"],
)
def test_a_schools_name_stays_a_name_in_the_file(name: str) -> None:
    text = download.filled(
        connector="sims",
        hub="https://hub.example.org",
        school=name,
        link=7,
        token="sg_x",
        run_at=dt.time(3),
        weekdays=[5, 1],
    )

    assert text.isascii()
    filled: dict[str, object] = {}
    exec(text[text.index("HUB =") : text.index("# ==== configuration ==== end")], filled)
    assert (filled["SCHOOL"], filled["HUB"]) == (name, "https://hub.example.org")
    assert (filled["RUN_AT"], filled["WEEKDAYS"], filled["LINK"]) == ("03:00", [1, 5], 7)
    compile(text, "agent", "exec")


def test_a_file_without_the_block_is_not_filled() -> None:
    with pytest.raises(ValueError, match="no configuration block"):
        download.fill("print()", {"HUB": "x"})
    block = "# ==== configuration ==== begin\nHUB = ''\n# ==== configuration ==== end\n"
    with pytest.raises(ValueError, match="assigns"):
        download.fill(block, {"TOKEN": "x"})


def test_while_paused_what_arrives_is_kept_unless_somebody_asked_for_it(
    link: MisLink, secret: str, administrator: Account
) -> None:
    now = timezone.now()
    links.pause_until(link=link, until=(now + dt.timedelta(days=5)).date(), by=administrator, now=now)

    status, answer = send(secret, a_zip())
    assert (status, Import.objects.count()) == (202, 0)
    assert answer["sentence"].startswith("Paused until ")
    assert answer["sentence"].endswith("So this was kept and not imported.")

    links.want_run(link=link, by=administrator, now=now)
    status, answer = send(secret, a_zip("<SuperStarReport></SuperStarReport>"), run_id="run-00000002")
    assert (status, Import.objects.count()) == (200, 1)
