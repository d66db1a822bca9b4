"""The demo from beginning to end: schools, first night, parents who connect, second night, heartbeats."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import Any

from django.utils import timezone

from hub.core import scope
from hub.core.models import School
from imports.demo import acts, cloud, files, night, schools
from imports.demo.night import Result
from imports.demo.places import EVERY_SCHOOL, SCHOOLS, DemoSchool
from imports.demo.server import NightFailed, Server
from imports.demo.simulator import DoesNotAnswer, Simulator
from imports.link.links import LinkRefused
from mis_connectors.registry import connector

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Login:
    """Who can sign in: what they are, by which email or mobile, and the code of now for whoever needs one."""

    what: str
    name: str
    code: str = ""


@dataclass(slots=True)
class Row:
    """What the two nights of one school came to, for the table and for machines."""

    demo: DemoSchool
    mis: str
    nights: list[Result] = field(default_factory=list)
    trouble: str = ""

    @property
    def worked(self) -> bool:
        return not self.trouble and len(self.nights) == 2

    def as_json(self) -> dict[str, Any]:
        last = self.nights[-1] if self.nights else Result("", 0, 0, {}, 0.0)
        return {
            "school": self.demo.name,
            "dfe_number": self.demo.dfe_number,
            "mis": self.mis,
            "outcome": last.outcome if not self.trouble else "failed",
            "pupils": last.pupils,
            "contacts": last.contacts,
            "kept": sum(one.counts.get("kept", 0) for one in self.nights),
            "rejected": sum(one.counts.get("rejected", 0) for one in self.nights),
            "seconds": round(sum(one.seconds for one in self.nights), 1),
            "nights": [{"outcome": one.outcome, **_plain(one.counts)} for one in self.nights],
            "trouble": self.trouble,
        }

    def cells(self) -> tuple[str, ...]:
        shown = self.as_json()
        names = ("school", "mis", "outcome", "pupils", "contacts", "kept", "rejected", "seconds")
        return tuple(str(shown[name]) for name in names)


def _plain(counts: Mapping[str, Any]) -> dict[str, int]:
    return {name: counts.get(name, 0) for name in ("added", "updated", "ended", "kept", "rejected")}


class Story:
    """The demo's schools and their simulated MIS, kept in `folder`; the hub answers at `hub`."""

    password = schools.PASSWORD

    def __init__(
        self, folder: Path, *, hub: str, environ: Mapping[str, str], simulators: Sequence[Simulator] = ()
    ) -> None:
        self.folder = folder
        self.clouds = {one.demo.dfe_number: one for one in simulators}
        self.servers = {demo.dfe_number: Server(demo, folder / demo.dfe_number, hub, environ) for demo in SCHOOLS}
        self._stopped = Event()

    def tell(self, say: Say, *, always: bool) -> list[Row]:
        """Bring each school to the morning after its second night; with `always`, two nights more if it was there."""
        told = self._told()
        if told and not always:
            say("All schools are as they were left.")
            return []
        rows = [Row(demo, connector(demo.mis).info.mis_name) for demo in EVERY_SCHOOL]
        found = [self._make(demo) for demo in EVERY_SCHOOL]
        say("Five schools are there: two have downloaded the agent for SIMS, three have their MIS in the cloud.")
        for number, title in enumerate(("First night", "Second night")):
            say(f"{title}: SIMS’s reports are run and sent, and the hub asks the MIS in the cloud …")
            with ThreadPoolExecutor(max_workers=len(rows)) as together:
                work = [
                    together.submit(self._night, row, school, number)
                    for row, school in zip(rows, found, strict=True)
                    if not row.trouble
                ]
                try:
                    for one in work:
                        one.result()
                except BaseException:
                    self.stop()
                    raise
            for row in rows:
                say(f"  {row.demo.name} ({row.mis}): {row.trouble or _sentence(row.nights[-1])}")
            if number == 0 and not any(row.trouble for row in rows) and self._meanwhile(found):
                say("Meanwhile parents registered, changed and confirmed details, said no, said nothing, and merged.")
        if all(row.worked for row in rows):
            files.write(self.folder / "files", self.servers)
            (self.folder / "told.json").write_text(json.dumps([row.as_json() for row in rows]), encoding="utf-8")
        return rows

    def heartbeats(self) -> None:
        """Let each school's agent say that it is alive, and run if the hub wants it."""
        for server in self.servers.values():
            if self._stopped.is_set() or not server.is_set_up():
                return
            with suppress(NightFailed):
                server.finish(server.start("heartbeat"))

    def stop(self) -> None:
        """End the agents that are running, wait for nothing more, and start no other."""
        self._stopped.set()
        for server in self.servers.values():
            server.stop()

    def logins(self) -> list[Login]:
        """Return the staff who can sign in, each with the time code of now."""
        found = [Login("Administrator of every school", schools.EVERYWHERE)]
        for demo in SCHOOLS:
            found += [
                Login(f"{demo.name}: administrator", demo.administrator_email),
                Login(f"{demo.name}: office", demo.office_email),
                Login(f"{demo.name}: teacher, own tutor group only", demo.teacher_email),
            ]
        for one in self.clouds.values():
            found.append(Login(f"{one.demo.name}: administrator", one.demo.administrator_email))
        return [replace(one, code=schools.code_of(one.name, now=timezone.now())) for one in found]

    def parents(self) -> list[Login]:
        """Return some of the parents who can sign in; they need no code."""
        demo = SCHOOLS[0]
        school = schools.find(demo)
        if school is None:
            return []
        with scope.schools(school.pk):
            people = night.people_of(school, self.servers[demo.dfe_number])
            return [
                Login(f"{people[part]}: {what}", schools.sign_in_name_of(people[part]))
                for part, what in acts.TO_SIGN_IN.items()
                if part in people
            ]

    def _told(self) -> bool:
        return (self.folder / "told.json").exists() and all(schools.find(demo) for demo in EVERY_SCHOOL)

    def _make(self, demo: DemoSchool) -> School:
        now = timezone.now()
        school, server = schools.make(demo, now=now), self.servers.get(demo.dfe_number)
        with scope.schools(school.pk):
            if server is not None and not server.is_set_up():
                by = schools.administrator(school, demo)
                server.set_up(link=schools.link_of(school), by=by, now=now)
        return school

    def _night(self, row: Row, school: School, number: int) -> None:
        """Let one night pass at one school, in a thread of its own; what goes wrong is in the row."""
        with night.own_connection():
            try:
                passing = self._pass_in_cloud if row.demo.dfe_number in self.clouds else self._pass
                row.nights.append(passing(school, row.demo, number))
            except (NightFailed, LinkRefused, DoesNotAnswer) as failed:
                row.trouble = str(failed)

    def _pass(self, school: School, demo: DemoSchool, number: int) -> Result:
        server, began = self.servers[demo.dfe_number], time.monotonic()
        changes = night.change_the_mis(school, server) if number else None
        after = night.last_import(school)
        server.finish(server.start("run"))
        result = night.wait_for_import(school, after=after, began=began, stopped=self._stopped)
        if changes is not None:
            night.check(school, changes)
            acts.morning_after(school, timezone.now())
            return result
        with scope.schools(school.pk):
            schools.let_a_teacher_in(school, demo, now=timezone.now())
        return result

    def _pass_in_cloud(self, school: School, demo: DemoSchool, number: int) -> Result:
        simulator, began = self.clouds[demo.dfe_number], time.monotonic()
        changes = cloud.change_the_mis(school, simulator) if number else None
        after = night.last_import(school)
        cloud.ask(school, simulator, now=timezone.now())
        result = night.wait_for_import(school, after=after, began=began, stopped=self._stopped)
        if changes is not None:
            cloud.check(school, changes)
            return result
        with scope.schools(school.pk):
            by = schools.office(demo)
        cloud.meanwhile(school, simulator, by=by, now=timezone.now())
        return result

    def _meanwhile(self, found: list[School]) -> bool:
        """Let the people act between the two nights, once; return whether they did."""
        stages = []
        found = found[: len(SCHOOLS)]
        for demo, school in zip(SCHOOLS, found, strict=True):
            people = night.people_of(school, self.servers[demo.dfe_number])
            with scope.schools(school.pk):
                stages.append(acts.Stage(people, schools.office(demo), timezone.now()))
        with scope.schools(*(school.pk for school in found)):
            if any(acts.is_played(stage) for stage in stages):
                return False
            for stage in stages:
                acts.play(stage, all_of_it=stage is stages[0])
            acts.join_both(*stages)
        return True


def _sentence(result: Result) -> str:
    counts = result.counts
    return (
        f"{result.pupils} pupils and {result.contacts} parents; {counts.get('added', 0)} people added, "
        f"{counts.get('updated', 0)} changed, {counts.get('ended', 0)} ended, "
        f"{counts.get('kept', 0)} values kept, {counts.get('rejected', 0)} records rejected ({result.seconds:.1f} s)"
    )
