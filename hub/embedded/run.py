"""What `bin/manage`, `bin/test` and `bin/bench` do once Python is set up: `python -m hub.embedded.run WHAT …`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence

from hub.embedded import schema, services
from hub.embedded.errors import EmbeddedError
from hub.embedded.processes import run_in_front
from hub.embedded.services import PROJECT

VAR = PROJECT / "var"
WORKERS = "2"
"""On two cores; a third was slower: browsers and PostgreSQL use what the tests leave."""
_ALONE = {"--pdb", "--trace", "-s", "--capture=no", "--collect-only", "--co", "--fixtures", "--markers", "--version"}
_SCHEMA = {"migrate", "flush", "dbshell", "sqlflush"}


def manage(arguments: Sequence[str]) -> int:
    """Run `manage.py` with everything it needs; a database of our own is brought up to date first."""
    with services.use(VAR) as found:
        environ = services.environment(VAR, found)
        ours = "DATABASE_URL" not in services.given_addresses(os.environ)
        if ours and _SCHEMA.intersection(arguments[:1]):
            schema.forget(VAR)
        elif ours and not schema.is_current(VAR):
            print("Bringing the database up to date …", file=sys.stderr)
            schema.migrate(VAR, environ)
        return run_in_front([sys.executable, str(PROJECT / "manage.py"), *arguments], environ)


def test(arguments: Sequence[str]) -> int:
    """Run pytest with `arguments`, against services that trade durability for speed."""
    var = VAR / "test"
    os.chdir(PROJECT)
    given = {name: value for name, value in os.environ.items() if not name.startswith("SCHOOLGATE_")}
    with services.use(var, quick=True) as found:
        environ = services.environment(var, found, given)
        return run_in_front([sys.executable, "-m", "pytest", *pytest_arguments(arguments)], environ)


def bench(arguments: Sequence[str]) -> int:
    """Run the benchmarks, against durable services of their own."""
    var = VAR / "bench"
    os.chdir(PROJECT)
    with services.use(var) as found:
        environ = services.environment(var, found)
        return run_in_front([sys.executable, "-m", "bench", *arguments], environ)


def pytest_arguments(arguments: Sequence[str]) -> list[str]:
    """Return what pytest is called with: `WORKERS` at once, and without the long tests unless `--long` is given."""
    given = [argument for argument in arguments if argument != "--long"]
    made = [] if any(one in _ALONE or one.startswith("-n") for one in given) else ["-n", WORKERS, "--dist", "worksteal"]
    if "--long" not in arguments:
        chosen = [given.pop(at + 1) for at, one in enumerate(given) if one == "-m" and at + 1 < len(given)]
        given = [one for one in given if one != "-m"]
        made += ["-m", " and ".join([*(f"({one})" for one in chosen), "not long"])]
    return made + given


_COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {"manage": manage, "test": test, "bench": bench}


def main() -> int:
    try:
        return _COMMANDS[sys.argv[1]](sys.argv[2:])
    except EmbeddedError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
