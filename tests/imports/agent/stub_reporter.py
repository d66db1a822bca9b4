"""A CommandReporter small enough to fail in one chosen way: STUB_FAULT, for the report STUB_REPORT only.

It is started three times for a run: what it imports, Python itself has loaded.
"""

from __future__ import annotations

import os
import sys
import time

ROWS = {
    "Schoolgate Pupils": "<primary_id>41</primary_id><SchoolDfE>8233001</SchoolDfE><Surname>Okafor</Surname>",
    "Schoolgate Contacts": "<PupilID>41</PupilID><Contact_x0020_ID>77</Contact_x0020_ID>",
    "Schoolgate Staff": "<StaffID>9</StaffID><StaffSurname>Marsh</StaffSurname>",
}
LATE = "import sys, time; time.sleep(float(sys.argv[3])); open(sys.argv[1], 'a').write(sys.argv[2])"


def main() -> None:
    given = dict(part.lstrip("/").split(":", 1) if ":" in part else (part.lstrip("/"), "") for part in sys.argv[1:])
    report, output = given["REPORT"], given["OUTPUT"]
    if record := os.environ.get("STUB_RECORD"):
        with open(record, "a") as file:
            file.write(" ".join(sys.argv[1:]) + "\n")
    fault = os.environ.get("STUB_FAULT", "") if os.environ.get("STUB_REPORT", report) == report else ""
    time.sleep(float(os.environ.get("STUB_SECONDS", "0")))
    while (held := os.environ.get("STUB_HELD_BY")) and os.path.exists(held):
        time.sleep(0.01)
    row = "<Surname>Okafor</Surname>" if fault == "no_identity" else ROWS[report]
    text = f'<?xml version="1.0" encoding="utf-8"?>\n<SuperStarReport><Record>{row}</Record></SuperStarReport>\n'
    error = "<CommandReporterError>Login failed for /PASSWORD:hunter22</CommandReporterError>"
    if fault == "error":
        print("A banner that /QUIET did not suppress", error, sep="\n")
    elif fault != "none":
        write(output, fault, {"error_file": error, "empty": "", "no_rows": "<SuperStarReport/>"}.get(fault, text))


def write(output: str, fault: str, text: str) -> None:
    if fault == "utf16":
        data = text.replace("utf-8", "utf-16").encode("utf-16")
    else:
        data = {"cut": text[:-20], "late": text[:60]}.get(fault, text).encode()
    with open(output, "wb") as file:
        file.write(data)
    if fault == "late":
        os.spawnl(os.P_NOWAIT, sys.executable, sys.executable, "-c", LATE, output, text[60:], "0.4")
    if fault == "stale":
        os.utime(output, (1_000_000_000, 1_000_000_000))


main()
