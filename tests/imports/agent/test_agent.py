"""The agent, run as a program against a CommandReporter that fails in each known way and a real hub."""

from __future__ import annotations

import ast
import datetime as dt
import io
import json
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from hub.accounts.models import Account
from imports import payloads
from imports.link import links
from imports.models import AgentToken, Import, MisLink, Payload
from mis_connectors.registry import agent_source


def sent() -> dict[str, bytes]:
    """What the hub keeps of the one run, unpacked."""
    with zipfile.ZipFile(io.BytesIO(b"".join(payloads.raw(Payload.objects.get())))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_run_sends_the_three_reports_and_deletes_them(agent: Any, link: MisLink) -> None:
    done = agent.by_hand("run")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "Thank you. It has arrived and is being imported.\n"
    files = sent()
    assert sorted(files) == ["contacts.xml", "pupils.xml", "run.json", "staff.xml"]
    about = json.loads(files["run.json"])
    assert (about["run_id"], about["link"]) == (Payload.objects.get().run_id, link.pk)
    assert set(about["files"]) == {"contacts.xml", "pupils.xml", "staff.xml"}
    started = dt.datetime.fromisoformat(about["started_at"])
    assert all(dt.datetime.fromisoformat(file["written_at"]) >= started for file in about["files"].values())
    assert Import.objects.get().kind == "autolink"
    assert agent.left_behind() == []
    assert all("/TRUSTED" in line and "/QUIET" in line for line in agent.reports_run)


def test_a_sims_user_is_taken_from_the_file_beside_it_and_never_sent_or_logged(agent: Any) -> None:
    agent.file.with_name("agent.ini").write_text("[sims]\nuser = reports\npassword = hunter22\nserver = SQL1\n")

    assert agent("run").returncode == 0

    assert "/USER:reports /PASSWORD:hunter22 /SERVERNAME:SQL1" in agent.reports_run[0]
    assert "hunter22" not in agent.log
    assert not any(b"hunter22" in body for body in sent().values())


FAULTS = {
    "error": "SIMS could not run the report",
    "error_file": "SIMS could not run the report",
    "empty": "SIMS wrote an empty file",
    "none": "SIMS wrote no file",
    "cut": "the file is cut short",
    "stale": "SIMS left an old file",
}


@pytest.mark.parametrize(("fault", "sentence"), FAULTS.items())
def test_a_report_that_fails_is_named_nothing_is_sent_and_the_hub_is_told(
    agent: Any, fault: str, sentence: str
) -> None:
    done = agent("run", STUB_FAULT=fault, STUB_REPORT="Schoolgate Contacts")

    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Schoolgate Contacts" in done.stderr
    assert not Payload.objects.exists()
    assert agent.left_behind() == []
    said = AgentToken.objects.get().last_check["run"]
    assert said["ok"] is False
    assert sentence in said["sentence"]
    assert "hunter22" not in json.dumps(said) + agent.log + done.stderr


def test_a_file_that_sims_is_still_writing_is_waited_for(agent: Any) -> None:
    assert agent("run", STUB_FAULT="late", SCHOOLGATE_AGENT_PACE="0.05").returncode == 0
    assert sent()["staff.xml"].rstrip().endswith(b"</SuperStarReport>")


def test_a_file_in_utf_16_is_seen_to_be_whole(agent: Any) -> None:
    assert agent("run", STUB_FAULT="utf16").returncode == 0


def test_a_report_that_never_ends_is_given_up(agent: Any) -> None:
    text = agent.file.read_text(encoding="utf-8")
    agent.file.write_text(text.replace("REPORT_SECONDS = 3600", "REPORT_SECONDS = 0.5"), encoding="utf-8")

    done = agent("run", STUB_SECONDS="5")

    assert done.returncode == 1
    assert "did not finish" in done.stderr


def test_a_second_run_beside_the_first_leaves_it_alone(agent: Any) -> None:
    held = agent.folder / "held"
    held.touch()
    first = agent.start("run", STUB_HELD_BY=str(held))
    try:
        while not agent.reports_run:
            time.sleep(0.01)
        second = agent("run")
    finally:
        held.unlink()
        ended = first.ended()

    assert (second.returncode, second.stdout) == (3, "Another run is under way already.\n")
    assert ended.returncode == 0
    assert Payload.objects.count() == 1


def test_what_a_run_that_was_cut_off_left_behind_is_deleted_by_the_next(agent: Any) -> None:
    left = agent.home / "reports-left"
    left.mkdir(parents=True)
    (left / "pupils.xml").write_text("<SuperStarReport/>")

    assert agent("run").returncode == 0
    assert agent.left_behind() == []


def test_without_sims_it_says_where_it_looked_and_what_to_do(alone: Any) -> None:
    done = alone("run", SCHOOLGATE_AGENT_REPORTER=str(alone.folder / "nowhere.exe"))

    assert done.returncode == 2
    assert "was not found in" in done.stderr
    assert "agent.ini" in done.stderr


def test_a_copy_that_was_ended_is_told_by_whom_and_what_to_do(
    agent: Any, administrator: Account, now: dt.datetime
) -> None:
    links.revoke_token(token=agent.token, by=administrator, now=now)

    done = agent("run")

    assert done.returncode == 1
    assert "was replaced on Mon 23 Nov, 08:00 by Helen Ward. Download a new copy" in done.stderr
    assert agent.reports_run == []  # SIMS is not troubled for nothing


def test_what_arrives_while_the_link_is_off_is_kept_and_the_agent_says_so(
    agent: Any, link: MisLink, administrator: Account, now: dt.datetime
) -> None:
    links.disable(link=link, by=administrator, now=now)

    done = agent("run")

    assert done.returncode == 0
    assert "switched off, so this was kept and not imported" in done.stdout
    assert (Payload.objects.count(), Import.objects.count()) == (1, 0)


class Flaky(BaseHTTPRequestHandler):
    """A hub that fails at first."""

    answers: list[int] = []
    seen: list[tuple[str, str, int]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        Flaky.seen.append((self.path, self.headers.get("X-Run-Id", ""), len(body)))
        status = Flaky.answers.pop(0) if Flaky.answers else 200
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "http://127.0.0.1:9/elsewhere")
        self.end_headers()
        self.wfile.write(b'{"sentence": "It has arrived."}' if status == 200 else b"<h1>Bad Gateway</h1>")

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def flaky() -> Any:
    Flaky.answers, Flaky.seen = [], []
    server = HTTPServer(("127.0.0.1", 0), Flaky)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_an_upload_is_tried_again_under_the_same_run_id(alone: Any, flaky: str) -> None:
    Flaky.answers = [200, 502, 503]

    done = alone("run", SCHOOLGATE_AGENT_HUB=flaky, SCHOOLGATE_AGENT_PACE="0.001")

    assert (done.returncode, done.stdout) == (0, "It has arrived.\n")
    uploads = [seen for seen in Flaky.seen if seen[0] == "/agent/v1/uploads"]
    assert len(uploads) == 3
    assert len(set(uploads)) == 1


def test_an_upload_is_not_tried_for_ever_and_the_reports_are_deleted(alone: Any, flaky: str) -> None:
    Flaky.answers = [502] * 99

    done = alone("run", SCHOOLGATE_AGENT_HUB=flaky, SCHOOLGATE_AGENT_PACE="0.001")

    assert done.returncode == 1
    assert [path for path, _, _ in Flaky.seen].count("/agent/v1/uploads") == 6
    assert alone.left_behind() == []


def test_a_hub_that_is_not_there_is_told_in_words(alone: Any) -> None:
    done = alone("heartbeat", SCHOOLGATE_AGENT_HUB="http://127.0.0.1:9")

    assert done.returncode == 1
    assert "The hub at http://127.0.0.1:9 could not be reached" in done.stderr
    assert "proxy" in done.stderr


def test_the_token_does_not_follow_a_redirect(alone: Any, flaky: str) -> None:
    Flaky.answers = [302]

    done = alone("heartbeat", SCHOOLGATE_AGENT_HUB=flaky)

    assert done.returncode == 1
    assert "moved to another address" in done.stderr


def test_it_goes_through_the_proxy_of_the_environment(alone: Any, flaky: str) -> None:
    done = alone("heartbeat", SCHOOLGATE_AGENT_HUB="http://hub.example.org", http_proxy=flaky, NO_PROXY="")

    assert done.returncode == 0
    assert Flaky.seen[0][0] == "http://hub.example.org/agent/v1/heartbeat"


def test_a_heartbeat_shows_version_host_and_the_end_of_the_log_without_secrets(agent: Any) -> None:
    agent.home.mkdir()
    old = "\n".join(f"line {n} /PASSWORD:hunter22 {agent.secret}" for n in range(300))
    (agent.home / "agent.log").write_text(old, encoding="utf-8")

    assert agent("heartbeat").returncode == 0

    token = AgentToken.objects.get()
    assert token.last_seen_at is not None
    assert token.agent_version == "1.0"
    assert token.host_name
    lines = token.log_tail.splitlines()
    assert len(lines) == 200
    assert lines[-1] == "line 299 /PASSWORD:*** ***"


def test_a_heartbeat_runs_when_somebody_asked_and_not_again(
    agent: Any, link: MisLink, office: Account, now: dt.datetime
) -> None:
    links.disable(link=link, by=office, now=now)
    links.enable(link=link, by=office, now=dt.datetime.now(dt.UTC))
    assert agent("heartbeat").stdout == ""
    links.want_run(link=link, by=office, now=dt.datetime.now(dt.UTC))

    assert agent("heartbeat").stdout == "Thank you. It has arrived and is being imported.\n"
    assert agent("heartbeat").stdout == ""

    assert Payload.objects.count() == 1
    assert "Priya Shah asked for an import now." in agent.log


def test_a_night_that_is_due_is_run_by_the_heartbeat_and_rests_after_a_failure(
    agent: Any, link: MisLink, office: Account
) -> None:
    MisLink.objects.update(scheduled_since=dt.datetime.now(dt.UTC) - dt.timedelta(days=2))

    assert agent("heartbeat", STUB_FAULT="empty").returncode == 1
    ran = len(agent.reports_run)
    assert agent("heartbeat").returncode == 0
    assert len(agent.reports_run) == ran  # not every ten minutes all day
    links.want_run(link=link, by=office, now=dt.datetime.now(dt.UTC))
    assert agent("heartbeat").returncode == 0
    assert Payload.objects.count() == 1


def test_a_check_says_ok_to_everything_and_tells_the_hub(agent: Any) -> None:
    done = agent("check")

    assert done.returncode == 0, done.stdout
    assert "FAIL" not in done.stdout
    assert "knows this copy of the agent as “Office server” of Larch Hill Primary" in done.stdout
    checks = AgentToken.objects.get().last_check["checks"]
    assert [check["name"] for check in checks] == [
        "Python",
        "Address",
        "Proxy",
        "SIMS",
        "Schoolgate Pupils",
        "Schoolgate Pupils, identity",
        "Schoolgate Contacts",
        "Schoolgate Contacts, identity",
        "Schoolgate Staff",
        "Schoolgate Staff, identity",
    ]
    assert all(check["ok"] for check in checks)
    assert not Payload.objects.exists()
    assert agent.left_behind() == []


def test_a_check_names_the_missing_identity_columns_and_the_group(agent: Any) -> None:
    done = agent("check", STUB_FAULT="no_identity", STUB_REPORT="Schoolgate Contacts")

    assert done.returncode == 1
    assert "FAIL Schoolgate Contacts, identity: SIMS left the identity columns out" in done.stdout
    assert "Third Party Reporter" in done.stdout
    assert [c["name"] for c in AgentToken.objects.get().last_check["checks"] if not c["ok"]] == [
        "Schoolgate Contacts, identity"
    ]


def test_a_check_finds_a_report_without_rows_and_goes_on_with_the_others(agent: Any) -> None:
    done = agent("check", STUB_FAULT="no_rows", STUB_REPORT="Schoolgate Pupils")

    assert "FAIL Schoolgate Pupils, identity: The report has no rows." in done.stdout
    assert "ok   Schoolgate Staff, identity" in done.stdout


def test_a_check_without_sims_still_tells_the_hub(agent: Any) -> None:
    done = agent("check", SCHOOLGATE_AGENT_REPORTER="/nowhere/CommandReporter.exe")

    assert done.returncode == 1
    assert [c["ok"] for c in AgentToken.objects.get().last_check["checks"]] == [True, True, True, False]


def test_install_prints_a_nightly_task_and_one_every_ten_minutes(alone: Any) -> None:
    done = alone("install", USERDOMAIN="LARCH", USERNAME="reports")

    nightly, heartbeat = [line for line in done.stdout.splitlines() if line.startswith("schtasks")]
    assert "/SC DAILY /ST 02:00" in nightly
    assert r"/RU LARCH\reports /RP *" in nightly
    assert nightly.endswith('schoolgate_agent.py\\" run"')
    assert "/SC MINUTE /MO 10" in heartbeat
    assert heartbeat.endswith('schoolgate_agent.py\\" heartbeat"')


def test_a_copy_that_was_not_filled_in_says_where_to_download_one(tmp_path: Path, alone: Any) -> None:
    source = agent_source("sims")
    assert source
    alone.file.write_text(source, encoding="utf-8")

    done = alone("run")

    assert done.returncode == 2
    assert "Settings, MIS Link" in done.stderr
    assert alone("nonsense").returncode == 2


def test_the_log_is_rotated_and_five_older_ones_are_kept(alone: Any) -> None:
    alone.home.mkdir()
    for _ in range(7):
        (alone.home / "agent.log").write_text("x" * 1_000_001, encoding="utf-8")
        assert alone("install").returncode == 0

    kept = sorted(path.name for path in alone.home.glob("agent.log*"))
    assert kept == ["agent.log", *(f"agent.log.{n}" for n in range(1, 6))]


def test_the_agent_is_python_3_8_and_imports_the_standard_library_only() -> None:
    source = agent_source("sims")
    assert source
    tree = ast.parse(source, feature_version=(3, 8))
    names = {
        alias.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }
    names |= {node.module.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    import sys

    assert names <= sys.stdlib_module_names
    assert not any(isinstance(node, ast.Match) for node in ast.walk(tree))
