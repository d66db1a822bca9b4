"""Schoolgate's agent: runs SIMS's reports on a computer in the school and sends them to the hub.

One file, Python 3.8 or newer, nothing to install beside it. It reads SIMS through SIMS's own
CommandReporter and never writes to it. Start with:  python schoolgate_agent.py check

    check      tests Python, SIMS, the reports and the connection, and says what to do
    run        runs the reports, sends them to the hub and deletes them
    heartbeat  says that it is alive, and runs if the hub asks for it
    install    prints the two Task Scheduler commands (with --make: carries them out)

Exit status: 0 done, 1 failed, 2 not set up, 3 another run is under way.
"""

from __future__ import annotations

import configparser
import contextlib
import datetime as dt
import http.client
import io
import json
import logging
import os
import platform
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
import zipfile
from pathlib import Path
from typing import Any, BinaryIO, Iterator, NamedTuple  # noqa: UP035 - Python 3.8 reads no other

# ==== configuration: filled in by the hub when this file is downloaded ==== begin
HUB = ""  # where the hub is
SCHOOL = ""  # whose people are sent
LINK = 0  # the hub's number of this link
TOKEN = ""  # signs this copy in; keep this file to yourself
RUN_AT = "02:00"  # when the nightly task runs
WEEKDAYS = [1, 2, 3, 4, 5, 6, 7]  # 1 Monday to 7 Sunday
# ==== configuration ==== end

VERSION = "1.0"
REPORTS = (
    ("pupils.xml", "Schoolgate Pupils", ("primary_id", "pupilid")),
    ("contacts.xml", "Schoolgate Contacts", ("contactid",)),
    ("staff.xml", "Schoolgate Staff", ("staffid",)),
)
"""File in the zip, name of the report in SIMS, and the identity columns of which one must be there."""
REPORTER_PLACES = (
    r"C:\Program Files (x86)\SIMS\SIMS .net\CommandReporter.exe",
    r"C:\Program Files\SIMS\SIMS .net\CommandReporter.exe",
)
REPORT_SECONDS = 3600  # how long SIMS may take for one report
SETTLE_SECONDS = 120  # how long SIMS may go on writing after it says that it is done
SETTLE_STEP = 2
ATTEMPTS = 6  # how often an upload is tried
FIRST_WAIT = 10  # seconds before the second try; doubled each time
REST_AFTER_FAILURE = 3600  # seconds before a night that failed is tried again by itself
LOG_BYTES, LOG_FILES, TAIL_LINES = 1_000_000, 5, 200
DONE, FAILED, NOT_SET_UP, BUSY = 0, 1, 2, 3
log = logging.getLogger("agent")


class AgentError(Exception):
    """Something stops the work: `sentence` says what, `advice` what to do."""

    def __init__(self, sentence: str, advice: str = "", status: int = FAILED) -> None:
        super().__init__(sentence)
        self.sentence, self.advice, self.status = sentence, advice, status


class Check(NamedTuple):
    name: str
    ok: bool
    sentence: str
    advice: str = ""


class Settings:
    """The block above, then agent.ini beside this file, then the environment: the last one wins."""

    def __init__(self) -> None:
        self.file = Path(__file__).resolve()
        ini = configparser.ConfigParser(interpolation=None)
        ini.read(self.file.with_name("agent.ini"), encoding="utf-8-sig")
        sims = ini["sims"] if ini.has_section("sims") else {}
        hub = ini["hub"] if ini.has_section("hub") else {}
        self.hub = os.environ.get("SCHOOLGATE_AGENT_HUB", HUB).rstrip("/")
        self.token = os.environ.get("SCHOOLGATE_AGENT_TOKEN", TOKEN)
        self.reporter = os.environ.get("SCHOOLGATE_AGENT_REPORTER") or sims.get("command_reporter", "")
        self.user, self.password = sims.get("user", ""), sims.get("password", "")
        self.server, self.database = sims.get("server", ""), sims.get("database", "")
        self.proxy, self.ca_file = hub.get("proxy", ""), hub.get("ca_file", "")
        self.pace = float(os.environ.get("SCHOOLGATE_AGENT_PACE", "1"))
        windows = Path(r"C:\logs\schoolgate-agent")
        default = windows if os.name == "nt" else Path.home() / ".schoolgate-agent"
        self.home = Path(os.environ.get("SCHOOLGATE_AGENT_HOME") or default)

    def command(self) -> list[str]:
        """Return how to start CommandReporter. Raises AgentError where it is not found."""
        places = [self.reporter] if self.reporter else list(REPORTER_PLACES)
        for place in places:
            if Path(place).is_file():
                return [sys.executable, place] if place.endswith(".py") else [place]
        raise AgentError(
            "SIMS's CommandReporter.exe was not found in " + " or ".join(places) + ".",
            "Run the agent on a computer with SIMS .net. If SIMS is elsewhere, write its place into agent.ini "
            "beside this file:  [sims]  command_reporter = D:\\SIMS\\SIMS .net\\CommandReporter.exe",
            NOT_SET_UP,
        )

    def sign_in(self) -> list[str]:
        """Return CommandReporter's sign-in arguments: the Windows user, unless agent.ini names a SIMS user."""
        who = ["/USER:" + self.user, "/PASSWORD:" + self.password] if self.user else ["/TRUSTED"]
        where = [("/SERVERNAME:", self.server), ("/DATABASENAME:", self.database)]
        return who + [flag + value for flag, value in where if value]

    def clean(self, text: str) -> str:
        """Return `text` without the token and the password."""
        for secret in (self.token, self.password):
            if len(secret) > 3:
                text = text.replace(secret, "***")
        text = re.sub(r"(?i)(/PASSWORD:)\S+", r"\1***", text)
        return re.sub(r"sg_[A-Za-z0-9_-]{16,}", "***", text)


# ---- running the reports ----


def run_report(settings: Settings, folder: Path, filename: str, report: str) -> Path:
    """Return the finished report. Raises AgentError for everything that can go wrong in SIMS."""
    target = folder / filename
    began = time.time()
    command = [*settings.command(), *settings.sign_in(), "/REPORT:" + report, "/OUTPUT:" + str(target), "/QUIET"]
    try:
        done = subprocess.run(  # noqa: S603 - the program that the school's own settings name
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=REPORT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise AgentError(
            f'SIMS did not finish the report "{report}" within {REPORT_SECONDS // 60} minutes.',
            "Run the report in SIMS by hand. Is the SIMS server busy, or is a message waiting for an answer?",
        ) from None
    except OSError as error:
        raise AgentError(f"CommandReporter could not be started: {error.strerror}.", "Reinstall SIMS .net.") from None
    refuse_error_text(done.stdout, report)
    wait_until_whole(settings, target, report, began)
    return target


def refuse_error_text(text: bytes, report: str) -> None:
    """Raise AgentError where SIMS answered with its error text in place of a report: its exit status tells nothing."""
    head = decode(text[:4000])
    begin = head.lower().find("<commandreportererror>")
    if begin < 0:
        return
    said = " ".join(re.sub(r"<[^>]*>", " ", head[begin:]).split())[:300] or "no reason"
    raise AgentError(
        f'SIMS could not run the report "{report}". It says: {said}',
        "Check that the report has this very name, that this user may see it, and that the user's password is right.",
    )


def wait_until_whole(settings: Settings, target: Path, report: str, began: float) -> None:
    """Wait until the report stops growing and ends as it should. Raises AgentError where it never does."""
    steps, size = max(3, int(SETTLE_SECONDS / SETTLE_STEP)), -1
    for _ in range(steps):
        now_size = target.stat().st_size if target.exists() else 0
        if now_size and now_size == size and is_whole(target):
            break
        size = now_size
        time.sleep(SETTLE_STEP * settings.pace)
    if not target.exists():
        raise AgentError(f'SIMS wrote no file for the report "{report}".', "Run the report in SIMS by hand.")
    if target.stat().st_size == 0:
        raise AgentError(f'SIMS wrote an empty file for the report "{report}".', "Run the report in SIMS by hand.")
    with target.open("rb") as file:
        refuse_error_text(file.read(4000), report)
    if target.stat().st_mtime < began - 2:
        raise AgentError(
            f'SIMS left an old file for the report "{report}" in place of a new one.',
            "Run the report in SIMS by hand, and check the clock of this computer.",
        )
    if not is_whole(target):
        raise AgentError(
            f'SIMS wrote only part of the report "{report}": the file is cut short.',
            "Is the disk full? Run the agent again.",
        )


def is_whole(target: Path) -> bool:
    """Whether the XML file ends with the closing tag of the element that it begins with."""
    with target.open("rb") as file:
        head = file.read(8192)
        file.seek(max(0, target.stat().st_size - 4096))
        tail = decode(file.read(), like=head).rstrip()
    root = re.search(r"<([A-Za-z_][\w.-]*)", decode(head))
    if root is None:
        return False
    closed, empty = f"</{root.group(1)}>", rf"(?s)<{root.group(1)}[^<>]*/>\Z"
    return tail.endswith(closed) or re.search(empty, tail) is not None


def decode(text: bytes, like: bytes | None = None) -> str:
    """Return text of any likely encoding, well enough to look for tags."""
    mark = (like or text)[:2]
    if mark in (b"\xff\xfe", b"\xfe\xff"):
        return text.decode("utf-16-le" if mark == b"\xff\xfe" else "utf-16-be", "replace").lstrip("\ufeff")
    return text.decode("utf-8-sig", "replace")


def captions(target: Path) -> set[str]:
    """Return the captions in the file, in small letters, without spaces and their escapes."""
    found, rest = set(), ""
    with target.open("rb") as file:
        head = file.read(2)
        file.seek(0)
        while chunk := file.read(1 << 20):
            text = rest + decode(chunk, like=head)
            found.update(re.findall(r"<([A-Za-z_][^\s/<>]*)", text))
            rest = text[text.rfind("<") :] if "<" in text else ""
    return {re.sub(r"_x([0-9a-fA-F]{4})_", " ", name).replace(" ", "").lower() for name in found}


def pack(folder: Path, run_id: str, started: dt.datetime, files: list[tuple[Path, str]]) -> Path:
    """Return one zip with run.json and the reports."""
    about: dict[str, Any] = {
        "run_id": run_id,
        "started_at": started.isoformat(),
        "agent_version": VERSION,
        "link": LINK,
        "files": {
            path.name: {"report": report, "written_at": utc(path.stat().st_mtime).isoformat()} for path, report in files
        },
    }
    target = folder / "run.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("run.json", json.dumps(about, indent=1))
        for path, _ in files:
            archive.write(path, path.name)
    return target


def utc(seconds: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.timezone.utc).replace(microsecond=0)  # noqa: UP017 - Python 3.8


# ---- talking to the hub ----


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """The token must not follow a redirect to another address."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


class Hub:
    def __init__(self, settings: Settings) -> None:
        if not (settings.hub and settings.token):
            raise AgentError(
                "This copy of the agent is not set up for a school.",
                "Download it again from the hub: Settings, MIS Link.",
                NOT_SET_UP,
            )
        self.settings = settings
        handlers: list[Any] = [NoRedirect()]
        if settings.proxy:
            handlers.append(urllib.request.ProxyHandler({"http": settings.proxy, "https": settings.proxy}))
        if settings.ca_file:
            import ssl

            context = ssl.create_default_context(cafile=settings.ca_file)
            handlers.append(urllib.request.HTTPSHandler(context=context))
        self.opener = urllib.request.build_opener(*handlers)

    def tell(self, path: str, message: dict[str, Any]) -> dict[str, Any]:
        """Post JSON and return the hub's JSON. Raises AgentError, without trying again."""
        body = json.dumps(message).encode()
        return self._post(path, body, len(body), {"Content-Type": "application/json"}, seconds=60)

    def upload(self, archive: Path, run_id: str, started: dt.datetime) -> dict[str, Any]:
        """Send the zip, again and again if need be: the run id makes the hub take it once."""
        headers = {"Content-Type": "application/zip", "X-Run-Id": run_id, "X-Run-Started": started.isoformat()}
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with archive.open("rb") as file:
                    return self._post("uploads", file, archive.stat().st_size, headers, seconds=600)
            except Unreachable as error:
                if attempt == ATTEMPTS:
                    raise
                wait = FIRST_WAIT * 2 ** (attempt - 1) * (0.5 + random.random())  # noqa: S311 - spreads the load
                log.warning("%s Trying again in %d seconds.", error.sentence, wait)
                time.sleep(wait * self.settings.pace)
        raise AssertionError("the last attempt returns or raises")

    def _post(
        self, path: str, body: bytes | BinaryIO, size: int, headers: dict[str, str], seconds: int
    ) -> dict[str, Any]:
        request = urllib.request.Request(  # noqa: S310 - the address the school's download was filled in with
            f"{self.settings.hub}/agent/v1/{path}",
            data=body,
            method="POST",
            headers={
                **headers,
                "Content-Length": str(size),
                "Authorization": "Bearer " + self.settings.token,
                "User-Agent": "schoolgate-agent/" + VERSION,
            },
        )
        try:
            with self.opener.open(request, timeout=seconds) as answer:
                return read_answer(answer.read(1 << 20))
        except urllib.error.HTTPError as error:
            raise refusal(error) from None
        except (OSError, ValueError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise Unreachable(
                f"The hub at {self.settings.hub} could not be reached: {reason}.",
                "Can this computer open the hub's address in a browser? If the school uses a proxy, write it into "
                "agent.ini beside this file:  [hub]  proxy = http://proxy.school:8080",
            ) from None


class Unreachable(AgentError):
    """Trying again may help."""


def read_answer(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body.decode())
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise Unreachable("Something between this computer and the hub answered in its place.", "Is there a proxy?")
    return answer


def refusal(error: urllib.error.HTTPError) -> AgentError:
    """Return what an HTTP error means: the hub's own sentence where it has one."""
    try:
        sentence = str(json.loads(error.read(1 << 16).decode())["sentence"])
    except (ValueError, KeyError, TypeError, OSError):
        sentence = f"The hub answered with error {error.code}."
    if error.code == 407:
        return AgentError("The proxy wants a user and a password.", "Ask who runs the school's network.")
    if 300 <= error.code < 400:
        return AgentError("The hub has moved to another address.", "Download the agent again from the hub.")
    if error.code >= 500 or error.code in (408, 425, 429):
        return Unreachable(sentence, "Wait a while and try again.")
    return AgentError(sentence)


# ---- the commands ----


def command_run(settings: Settings) -> int:
    """Run the reports and send them. One run at a time; the reports never stay on the disk."""
    hub = Hub(settings)
    with only_one(settings) as alone:
        if not alone:
            say("Another run is under way already.")
            return BUSY
        try:
            with contextlib.suppress(Unreachable):  # it may be back by the time the reports are ready
                hub.tell("heartbeat", about_me(settings))
            sentence = collect_and_send(settings, hub)
        except AgentError as error:
            remember(settings, ok=False, sentence=error.sentence)
            with contextlib.suppress(AgentError):
                hub.tell("heartbeat", about_me(settings))
            raise
        remember(settings, ok=True, sentence=sentence)
        say(sentence)
    return DONE


def collect_and_send(settings: Settings, hub: Hub) -> str:
    for left in settings.home.glob("reports-*"):  # by a run that was cut off
        shutil.rmtree(left, ignore_errors=True)
    run_id, started = uuid.uuid4().hex, utc(time.time())
    log.info("Run %s begins.", run_id)
    folder = Path(tempfile.mkdtemp(prefix="reports-", dir=str(settings.home)))
    try:
        files = []
        for filename, report, _ in REPORTS:
            path = run_report(settings, folder, filename, report)
            log.info("%s: %d bytes.", filename, path.stat().st_size)
            files.append((path, report))
        answer = hub.upload(pack(folder, run_id, started, files), run_id, started)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return str(answer.get("sentence", "The hub has the reports."))


def command_heartbeat(settings: Settings) -> int:
    """Say that the agent is alive; run if somebody asked, or if the night is due and did not go wrong just now."""
    answer = Hub(settings).tell("heartbeat", about_me(settings))
    if not answer.get("run_wanted"):
        return DONE
    last = recall(settings)
    rested = time.time() - float(last.get("time", 0)) > REST_AFTER_FAILURE
    if answer.get("reason") != "asked" and last.get("ok") is False and not rested:
        return DONE
    log.info("The hub asks for a run: %s", answer.get("sentence", ""))
    return command_run(settings)


def command_check(settings: Settings) -> int:
    """Test everything from Python to the hub, say each in words, and tell the hub what was found."""
    checks = []
    for found in all_checks(settings):
        check = found._replace(sentence=settings.clean(found.sentence))
        checks.append(check)
        say(f"{'ok  ' if check.ok else 'FAIL'} {check.name}: {check.sentence}")
        if check.advice and not check.ok:
            say(f"     What to do: {check.advice}")
    try:
        answer = Hub(settings).tell("check", {**about_me(settings), "checks": [check._asdict() for check in checks]})
        say(f"ok   The hub: {answer.get('sentence', 'It answers.')}")
    except AgentError as error:
        say(f"FAIL The hub: {error.sentence}\n     What to do: {error.advice or 'Download the agent again.'}")
        return FAILED
    return DONE if all(check.ok for check in checks) else FAILED


def all_checks(settings: Settings) -> Iterator[Check]:
    yield check_python()
    yield check_address(settings)
    yield check_proxy(settings)
    try:
        yield Check("SIMS", True, f"CommandReporter is at {settings.command()[-1]}.")
    except AgentError as error:
        yield Check("SIMS", False, error.sentence, error.advice)
        return
    folder = Path(tempfile.mkdtemp(prefix="check-", dir=str(settings.home)))
    try:
        for filename, report, identity in REPORTS:
            yield from check_report(settings, folder, filename, report, identity)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def check_python() -> Check:
    ok = sys.version_info >= (3, 8)
    advice = "" if ok else "Install a newer Python for Windows from python.org."
    return Check("Python", ok, f"Python {platform.python_version()} runs the agent.", advice)


def check_address(settings: Settings) -> Check:
    local = re.match(r"http://(127\.0\.0\.1|localhost)(:\d+)?$", settings.hub)
    ok = settings.hub.startswith("https://") or bool(local)
    advice = "Ask who runs the hub for its https:// address, and download the agent from there."
    return Check("Address", ok, f"The hub is at {settings.hub or 'no address'}.", "" if ok else advice)


def check_proxy(settings: Settings) -> Check:
    used = settings.proxy or urllib.request.getproxies().get(
        "https" if settings.hub.startswith("https") else "http", ""
    )
    shown = re.sub(r"//[^/@]*@", "//", used)
    return Check("Proxy", True, f"The hub is reached through the proxy {shown}." if used else "No proxy is set.")


def check_report(
    settings: Settings,
    folder: Path,
    filename: str,
    report: str,
    identity: tuple[str, ...],
) -> Iterator[Check]:
    try:
        path = run_report(settings, folder, filename, report)
    except AgentError as error:
        yield Check(report, False, error.sentence, error.advice)
        return
    yield Check(report, True, f"The report runs ({path.stat().st_size:,} bytes).")
    found = captions(path)
    if not found & {"record"}:
        yield Check(
            f"{report}, identity", False, "The report has no rows.", "Open the report in SIMS: is its filter right?"
        )
    elif not found & set(identity):
        yield Check(
            f"{report}, identity",
            False,
            "SIMS left the identity columns out: the report's user is not in the group Third Party Reporter.",
            "In SIMS open Focus, System Manager, Manage Users and add the user to Third Party Reporter.",
        )
    else:
        yield Check(f"{report}, identity", True, "The identity columns are there.")


def command_install(settings: Settings, make: bool) -> int:
    """Print the two Task Scheduler commands; with `make`, carry them out."""
    names = ("", "MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
    nightly = ["/SC", "DAILY"] if len(WEEKDAYS) == 7 else ["/SC", "WEEKLY", "/D", ",".join(names[d] for d in WEEKDAYS)]
    tasks = (
        ("Schoolgate nightly", [*nightly, "/ST", RUN_AT], "run"),
        ("Schoolgate heartbeat", ["/SC", "MINUTE", "/MO", "10"], "heartbeat"),
    )
    user = f"{os.environ.get('USERDOMAIN', '.')}\\{os.environ.get('USERNAME', 'the-user-of-the-reports')}"
    commands = [
        [
            "schtasks",
            "/Create",
            "/F",
            "/TN",
            name,
            *when,
            "/RU",
            user,
            "/RP",
            "*",
            "/TR",
            f'"{sys.executable}" "{settings.file}" {word}',
        ]
        for name, when, word in tasks
    ]
    if not make:
        say("Run these two commands as the Windows user who may run the reports. Each asks for that user's password:")
    for command in commands:
        say(subprocess.list2cmdline(command))
        if make and subprocess.run(command, check=False).returncode != 0:  # noqa: S603 - as printed
            raise AgentError("Task Scheduler refused the task.", "Start the command prompt as an administrator.")
    return DONE


# ---- its own files: log, lock and what it remembers ----


def about_me(settings: Settings) -> dict[str, Any]:
    last = recall(settings)
    return {
        "version": VERSION,
        "host": socket.gethostname(),
        "python": platform.python_version(),
        "log": tail(settings),
        "last_run": {key: last[key] for key in ("ok", "sentence", "at") if key in last},
    }


def remember(settings: Settings, ok: bool, sentence: str) -> None:
    now = time.time()
    about = {"ok": ok, "sentence": settings.clean(sentence), "at": utc(now).isoformat(), "time": now}
    (settings.home / "last-run.json").write_text(json.dumps(about), encoding="utf-8")


def recall(settings: Settings) -> dict[str, Any]:
    try:
        found = json.loads((settings.home / "last-run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def tail(settings: Settings) -> str:
    """Return the end of the log without secrets."""
    try:
        with (settings.home / "agent.log").open("rb") as file:
            file.seek(max(0, (settings.home / "agent.log").stat().st_size - 64_000))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    return settings.clean("\n".join(lines[-TAIL_LINES:]))


def open_log(settings: Settings) -> None:
    """Log to agent.log, with the older ones beside it."""
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        current = settings.home / "agent.log"
        if current.exists() and current.stat().st_size > LOG_BYTES:
            with contextlib.suppress(OSError):  # another command has it open: next time
                for number in range(LOG_FILES - 1, 0, -1):
                    older = settings.home / f"agent.log.{number}"
                    if older.exists():
                        older.replace(settings.home / f"agent.log.{number + 1}")
                current.replace(settings.home / "agent.log.1")
        handler = logging.FileHandler(str(current), encoding="utf-8")
    except OSError as error:
        raise AgentError(
            f"The agent cannot write to its folder {settings.home}: {error.strerror}.",
            "Give this Windows user the right to write there.",
            NOT_SET_UP,
        ) from None
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    handler.addFilter(lambda record: bool(clean_record(settings, record)))
    log.addHandler(handler)
    log.setLevel(logging.INFO)


def clean_record(settings: Settings, record: logging.LogRecord) -> bool:
    record.msg, record.args = settings.clean(record.getMessage()), ()
    return True


@contextlib.contextmanager
def only_one(settings: Settings) -> Iterator[bool]:
    """Hold the lock if nobody has it; it falls with the process, however that ends."""
    with (settings.home / "run.lock").open("a+") as file:
        try:
            if sys.platform == "win32":
                import msvcrt

                file.seek(0)
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True


def say(text: str) -> None:
    print(text, flush=True)
    log.info("%s", text)


def main(arguments: list[str]) -> int:
    """Carry out one command and return the exit status."""
    for stream in (sys.stdout, sys.stderr):  # a Windows console lacks many letters
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    word = arguments[0] if arguments else ""
    commands = {"run": command_run, "heartbeat": command_heartbeat, "check": command_check}
    settings = Settings()
    try:
        open_log(settings)
        if word == "install":
            return command_install(settings, make="--make" in arguments)
        if word not in commands:
            print(__doc__)
            return NOT_SET_UP
        return commands[word](settings)
    except AgentError as error:
        log.error("%s %s", error.sentence, error.advice)
        print(settings.clean(f"{error.sentence}\n{error.advice}".strip()), file=sys.stderr, flush=True)
        return error.status
    except Exception:
        log.exception("Something unexpected stopped the agent.")
        raise


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
