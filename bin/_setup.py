"""Makes .venv and installs what requirements/ lists into it, by hash: `_setup.py PROJECT app|dev`.

Runs before anything is installed, so it uses Python's own library only. Says one sentence and
ends with status 1 where something is missing. When nothing has changed since last time it does
nothing, at once.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

STAMP = "schoolgate.json"


class CannotSetUp(Exception):
    """The message is one sentence that says what to do."""


def main(project: Path, needs: str) -> None:
    """Have everything in `requirements/<needs>.txt` in `.venv`; raises `CannotSetUp`."""
    venv = project / ".venv"
    if is_done(project, venv, needs):
        return
    one_at_a_time = os.open(project, os.O_RDONLY)
    fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
    if is_done(project, venv, needs):
        return
    began = time.monotonic()
    make_venv(venv)
    say(f"Installing what Schoolgate needs into {venv.name} (once) …")
    install(project, venv, needs)
    written = {needs: digest(project, needs)} | ({"app": digest(project, "app")} if needs == "dev" else {})
    (venv / STAMP).write_text(json.dumps(stamps(venv) | written), encoding="utf-8")
    say(f"Installed in {time.monotonic() - began:.0f} s.")


def say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def digest(project: Path, needs: str) -> str:
    """Return a digest of what is to be installed, and by which Python."""
    lock = (project / "requirements" / f"{needs}.txt").read_bytes()
    return hashlib.sha256(lock + str(sys.version_info[:2]).encode()).hexdigest()


def stamps(venv: Path) -> dict[str, str]:
    try:
        kept = json.loads((venv / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def is_done(project: Path, venv: Path, needs: str) -> bool:
    return runs(venv) and stamps(venv).get(needs) == digest(project, needs)


def runs(venv: Path) -> bool:
    """Say whether the environment is there and is of this Python."""
    named = venv / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    return os.path.realpath(venv) == os.path.realpath(sys.prefix) or os.access(named, os.X_OK)


def make_venv(venv: Path) -> None:
    """Make the environment anew, unless the one that is there runs."""
    if runs(venv):
        return
    try:
        if venv.exists():
            if not (venv / "pyvenv.cfg").exists():
                raise CannotSetUp(f"{venv} is in the way and is no Python environment: move it away and start again.")
            shutil.rmtree(venv)
        venv.mkdir()
        venv.rmdir()
    except OSError as error:
        raise CannotSetUp(
            f"{venv.parent} cannot be written ({error.strerror}): make the folder yours, "
            "or copy the project to one that is."
        ) from error
    if importlib.util.find_spec("venv") is None:
        raise CannotSetUp(no_venv())
    has_pip = importlib.util.find_spec("ensurepip") is not None
    made = run([sys.executable, "-m", "venv", *([] if has_pip else ["--without-pip"]), str(venv)])
    if made.returncode:
        shutil.rmtree(venv, ignore_errors=True)
        raise CannotSetUp(no_venv() if "ensurepip" in made.stdout else f"No environment could be made: {last(made)}")


def no_venv() -> str:
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return (
        f"Python {version} here lacks its venv module: install it (on Debian and Ubuntu, as root: "
        f"apt install python{version}-venv), then start again."
    )


def install(project: Path, venv: Path, needs: str) -> None:
    """Install by uv, which is quick, and by pip where uv cannot be had or does not manage."""
    lock = str(project / "requirements" / f"{needs}.txt")
    python = str(venv / "bin" / "python")
    uv = find_uv(project, venv)
    if uv is not None:
        done = run(
            [uv, "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", lock],
            uv_environment(python),
        )
        if done.returncode == 0:
            return
    pip = find_pip(python)
    if pip is None:
        shutil.rmtree(venv, ignore_errors=True)
        raise CannotSetUp(no_venv())
    done = run([*pip, "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", lock])
    if done.returncode:
        raise CannotSetUp(
            f"What Schoolgate needs could not be installed: {last(done)} "
            "(Behind a proxy or with an index of your own, set what pip reads: HTTPS_PROXY, PIP_INDEX_URL.)"
        )


def find_uv(project: Path, venv: Path) -> str | None:
    """Return a uv that runs: the machine's, else one installed by its hash."""
    candidates: list[str | None] = [shutil.which("uv"), str(venv / "bin" / "uv")]
    for found in candidates:
        if found and run([found, "--version"]).returncode == 0:
            return found
    pip = find_pip(str(venv / "bin" / "python"))
    lock = str(project / "requirements" / "bootstrap.txt")
    if pip is None or run([*pip, "install", "--quiet", "--require-hashes", "-r", lock]).returncode:
        return None
    return str(venv / "bin" / "uv")


def find_pip(python: str) -> list[str] | None:
    """Return the environment's own pip, else this Python's aimed at the environment."""
    if run([python, "-m", "pip", "--version"]).returncode == 0:
        return [python, "-m", "pip"]
    if run([sys.executable, "-m", "pip", "--version"]).returncode == 0:
        return [sys.executable, "-m", "pip", "--python", python]
    return None


def uv_environment(python: str) -> dict[str, str]:
    """Return the environment for uv with what the machine told pip: uv reads none of pip's settings."""
    environ = dict(os.environ)
    pip = find_pip(python)
    settings = {}
    if pip is not None:
        for line in run([*pip, "config", "list"]).stdout.splitlines():
            name, _, value = line.partition("=")
            settings[name.rpartition(".")[2].strip().replace("_", "-")] = value.strip().strip("'\"")
    told = {
        "UV_DEFAULT_INDEX": "index-url",
        "UV_INDEX": "extra-index-url",
        "UV_FIND_LINKS": "find-links",
        "UV_INSECURE_HOST": "trusted-host",
        "SSL_CERT_FILE": "cert",
    }
    for variable, setting in told.items():
        said = os.environ.get(f"PIP_{setting.upper().replace('-', '_')}") or settings.get(setting)
        if said:
            environ.setdefault(variable, " ".join(said.replace("\\n", " ").split()))
    environ.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")  # as pip does; the hashes decide
    environ.setdefault("UV_HTTP_TIMEOUT", "120")
    return environ


def run(command: list[str], environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
    except OSError as error:
        return subprocess.CompletedProcess(command, 127, stdout=str(error))


def last(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]
    return (errors or lines or ["it said nothing"])[-1]


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), sys.argv[2])
    except CannotSetUp as problem:
        say(str(problem))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
