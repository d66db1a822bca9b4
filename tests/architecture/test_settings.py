"""The settings table, its page, and what the code and the compose file use: the same names everywhere."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from hub.embedded.services import PROJECT
from hub.settings.environment import TABLE

NAMES = {setting.name for setting in TABLE}
INTERNAL = {"SCHOOLGATE_AS_OWNER"}
"""Set by manage.py for its own process, never by an operator."""
PAGE = PROJECT / "docs" / "settings.md"
ELSEWHERE = (PROJECT / "mis_connectors" / "sims" / "agent", PROJECT / "mis_connectors" / "simulators")
"""Runs on a computer of the school, or stands for it, with settings of its own (`SCHOOLGATE_AGENT_…`)."""
HEAD = """# Settings

Everything an operator can set, as environment variables; there is no other place. A setting marked *secret* can also
be given as a file: `NAME_FILE=/run/secrets/name`. `bin/*` make and keep the secrets of this machine's own installation
in `var/`, start a PostgreSQL and a Valkey of their own where `DATABASE_URL` and `REDIS_URL` are not set, and keep all
mail in the hub where `SCHOOLGATE_SMTP_URL` is not set.

| name | default | what it is for |
|---|---|---|
"""
FOOT = """
## What belongs to one MIS

An MIS that we fetch from has values that its supplier gives to whoever runs the hub, once for all schools: its address,
a partner key. Each is `SCHOOLGATE_MIS_<MIS>_<NAME>`, or `SCHOOLGATE_MIS_<MIS>_<NAME>_FILE` where it is kept in a file;
the README in the connector's folder below `mis_connectors/` names them. Under Docker Compose they are written into a
file `mis.env` beside `docker-compose.yml`, one `NAME=value` a line.

## A new key

`SCHOOLGATE_KEYS` may hold several keys: the first encrypts, all of them read. To change the key, make one with
`python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"`, then:

1. Put the new key in front, `new,old`, and restart everything: from then on the new key writes, and both read.
2. Run `bin/manage rotate_keys`. It brings everything that is stored under the new key, batch by batch, while the hub
   works, and says how much it was; stopped, it goes on where it was.
3. Take the old key away and restart. A backup made before step 2 needs the old key: keep the two together.
"""


def page() -> str:
    """Return `docs/settings.md` as it has to be."""
    rows = []
    for setting in TABLE:
        default = "*must be given*" if setting.default is None else f"`{setting.default}`" if setting.default else ""
        meaning = setting.meaning + (" *Secret.*" if setting.secret else "")
        rows.append(f"| `{setting.name}` | {default} | {meaning} |\n")
    return HEAD + "".join(rows) + FOOT


def test_the_settings_page_shows_the_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "docs/settings.md is not what page() in this test makes"


def test_no_setting_is_read_that_is_not_in_the_table() -> None:
    used = set()
    for path in sources("hub", "imports", "verification", "mis_connectors", "bench", "manage.py"):
        used |= set(re.findall(r"\bSCHOOLGATE_(?!AGENT_)[A-Z_]+\b", path.read_text(encoding="utf-8")))
    assert {name.removesuffix("_FILE") for name in used if not name.endswith("_")} - NAMES - INTERNAL == set()


def test_the_environment_is_read_in_one_place_only() -> None:
    readers = {
        str(path.relative_to(PROJECT))
        for path in sources("hub", "imports", "verification", "mis_connectors")
        if re.search(r"os\.(environ|getenv)", path.read_text(encoding="utf-8"))
    }
    starters = {name for name in readers if name.startswith("hub/embedded/")}
    entry_points = {"hub/celery.py", "hub/wsgi.py", "hub/settings/__init__.py", "hub/settings/environment.py"}
    assert readers - starters - entry_points == set()


def test_the_compose_file_sets_only_what_is_in_the_table() -> None:
    compose = yaml.safe_load((PROJECT / "docker-compose.yml").read_text(encoding="utf-8"))
    given = {name.removesuffix("_FILE") for name in compose["x-app"]["environment"]}
    assert given - NAMES == set()
    assert {setting.name for setting in TABLE if setting.default is None} <= given


def sources(*places: str) -> list[Path]:
    found = []
    for place in places:
        path = PROJECT / place
        found += sorted(path.rglob("*.py")) if path.is_dir() else [path]
    return [path for path in found if not any(place in path.parents for place in ELSEWHERE)]
