"""The compose file: of the right shape, and running what the product needs, as nobody in particular."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import pytest
import yaml

import hub.celery
from hub.embedded import commands
from hub.embedded.services import PROJECT

COMPOSE: dict[str, Any] = yaml.safe_load((PROJECT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "schoolgate"}

WAITING = ("io-worker", "mis-worker")


def option(service: str, name: str) -> str:
    return next(part.partition("=")[2] for part in SERVICES[service]["command"] if part.startswith(f"--{name}="))


def test_it_follows_the_compose_specification() -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_services_are_those_the_product_needs() -> None:
    assert set(SERVICES) == {"migrate", "web", "worker", "io-worker", "mis-worker", "beat", "postgres", "valkey"}


def test_every_queue_is_consumed_once() -> None:
    consumed = [queue for name in ("worker", *WAITING) for queue in option(name, "queues").split(",")]
    assert sorted(consumed) == sorted(hub.celery.QUEUES)


def test_waiting_for_others_is_done_in_threads() -> None:
    assert [option(name, "queues") for name in WAITING] == [hub.celery.IO, hub.celery.MIS]
    assert {option(name, "pool") for name in WAITING} == {"threads"}


def test_there_is_one_beat_and_its_file_may_be_lost() -> None:
    assert option("beat", "schedule").startswith("/tmp/")
    assert "deploy" not in SERVICES["beat"]


def test_the_demo_runs_the_very_same_commands() -> None:
    def plain(command: list[str]) -> list[str]:
        own = ("--bind=", "--workers=", "--threads=", "--worker-tmp-dir=", "--log-level=", "--schedule=")
        return [part for part in command if part not in {sys.executable, "-m"} and not part.startswith(own)]

    started = {
        "web": commands.web(8000),
        "worker": commands.worker(),
        "io-worker": commands.io_worker(),
        "mis-worker": commands.mis_worker(),
        "beat": commands.beat(PROJECT / "var" / "beat-schedule"),
    }
    for name, command in started.items():
        assert plain(command) == plain(SERVICES[name]["command"])


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_each_service_is_shut_in(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert name == "migrate" or "healthcheck" in service
    assert name in OURS or service["user"] not in {"root", "0"}


def test_the_image_runs_as_nobody_in_particular() -> None:
    lines = (PROJECT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("USER ")] == ["USER 10001:10001"]


def test_what_the_image_copies_is_there_and_is_let_through() -> None:
    text = (PROJECT / "Dockerfile").read_text(encoding="utf-8")
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE)
    let_through = (PROJECT / ".dockerignore").read_text(encoding="utf-8").split()
    for path in " ".join(copied).split():
        assert (PROJECT / path).exists()
        assert f"!{path}" in let_through or f"!{path.rpartition('/')[0]}/*.txt" in let_through


def test_secrets_come_by_file_and_each_is_made() -> None:
    made = (PROJECT / "bin" / "secrets").read_text(encoding="utf-8")
    wanted = {name for service in SERVICES.values() for name in service.get("secrets", [])}
    assert wanted == set(COMPOSE["secrets"])
    assert all(re.search(rf"^keep {name} ", made, re.MULTILINE) for name in wanted)
    assert "password" not in json.dumps([service.get("environment") for service in OURS.values()]).lower()


def test_databases_are_reached_from_inside_only() -> None:
    assert COMPOSE["networks"]["inside"]["internal"]
    for name in ("postgres", "valkey"):
        assert SERVICES[name]["networks"] == ["inside"]
        assert "ports" not in SERVICES[name]
    assert SERVICES["web"]["ports"] == ["127.0.0.1:8000:8000"]


def test_health_is_asked_without_https() -> None:
    said = re.search(r'SECURE_REDIRECT_EXEMPT = \[r"(.+)"\]', (PROJECT / "hub/settings/__init__.py").read_text())
    asked = re.search(r"127\.0\.0\.1:8000/([\w/]+)", SERVICES["web"]["healthcheck"]["test"][-1])
    assert said is not None
    assert asked is not None
    assert re.search(said.group(1), asked.group(1))
