"""`bin/bench import|overview|confirming|collecting`: measure within one run, in a database of its own.

It is dropped afterwards. Ratios only count: a figure is compared with what the same machine did in the same minutes,
and is never a test.
"""

from __future__ import annotations

import argparse
import os
import sys

from bench import database, report

PUPILS = 2_100
"""On roll; with leavers and applicants 2,215, and 3,958 contacts."""


def main() -> int:
    wanted = _parser().parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")
    with database.of_this_run(wanted.template):
        # What follows needs Django set up for the database just made.
        if wanted.what == "import":
            from bench import importing

            result = importing.measure(pupils=wanted.pupils, quick=wanted.quick, repeats=wanted.repeats)
        elif wanted.what == "confirming":
            from bench import confirming

            result = confirming.measure(
                people=wanted.people, changes=wanted.changes, schools=wanted.schools, requests=wanted.requests
            )
        elif wanted.what == "collecting":
            from bench import collecting

            result = collecting.measure(
                pupils=wanted.pupils, repeats=wanted.repeats, schools=wanted.schools, hang=wanted.hang,
                small=wanted.small, of=wanted.connector,
            )  # fmt: skip
        else:
            from bench import overview

            result = overview.measure(schools=wanted.schools, people=wanted.people, requests=wanted.requests)
        report.show(result, as_json=wanted.json)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bin/bench", description=__doc__)
    kinds = parser.add_subparsers(dest="what", required=True)
    importing = kinds.add_parser("import", help="a school's nights, against plain parsing and other ways to load")
    importing.add_argument("--pupils", type=int, default=PUPILS, help="pupils on roll (%(default)s)")
    importing.add_argument("--repeats", type=int, default=7, help="schools measured after the warm-up (%(default)s)")
    importing.add_argument(
        "--quick", action="store_true", help="without the slow rivals and the school ten times as large"
    )
    page = kinds.add_parser("overview", help="the time of the Overview in the server")
    page.add_argument("--schools", type=int, default=200)
    page.add_argument("--people", type=int, default=1_000, help="per school (%(default)s)")
    page.add_argument("--requests", type=int, default=400, help="for each page (%(default)s)")
    confirmed = kinds.add_parser("confirming", help="the report of what people confirmed, its CSV, and settling it")
    confirmed.add_argument("--people", type=int, default=200_000, help="in all (%(default)s)")
    confirmed.add_argument("--changes", type=int, default=20_000, help="still to be copied, in all (%(default)s)")
    confirmed.add_argument("--schools", type=int, default=1, help="over which they are spread (%(default)s)")
    confirmed.add_argument("--requests", type=int, default=200, help="for each page (%(default)s)")
    fetched = kinds.add_parser("collecting", help="fetching from each MIS, and many schools of which some hang")
    fetched.add_argument("--pupils", type=int, default=2_000, help="on roll of each connector's school (%(default)s)")
    fetched.add_argument("--repeats", type=int, default=3, help="rounds after the warm-up (%(default)s)")
    fetched.add_argument("--schools", type=int, default=50, help="at once (%(default)s)")
    fetched.add_argument("--hang", type=int, default=5, help="of these (%(default)s)")
    fetched.add_argument("--small", type=int, default=210, help="pupils of each of these (%(default)s)")
    fetched.add_argument("--connector", default="integris", help="by which these are fetched (%(default)s)")
    for one in (importing, page, confirmed, fetched):
        one.add_argument("--template", default="", metavar="DATABASE", help="copy this one instead of migrating")
        one.add_argument("--json", action="store_true", help="one JSON object on the last line")
    return parser


if __name__ == "__main__":
    sys.exit(main())
