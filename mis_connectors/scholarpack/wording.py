"""What this connector says to a school office: what was wrong, and what to do, in the words of ScholarPack's menus."""

from __future__ import annotations

from mis_connectors.errors import SnapshotFormatError
from mis_connectors.replies import Wrong

MIS = "ScholarPack"
IT_TAKES = "It takes a ScholarPack user with both Admin and System Admin to sign in again."
NOT_REGISTERED = (
    "This hub is not registered with ScholarPack yet. Ask whoever runs the hub to set ScholarPack’s address, client "
    "id and client secret."
)
REGISTRATION_REFUSED = (
    "ScholarPack refuses the hub’s own client id or secret; the school cannot put this right. Ask whoever runs the hub "
    "to check them with ScholarPack."
)
NO_CONSENT = (
    "Nobody at the school has given permission in ScholarPack yet. Sign in to ScholarPack from Settings > MIS Link, as "
    "a user with both Admin and System Admin."
)
WITHDRAWN = f"ScholarPack no longer lets us in: the school’s permission was withdrawn, or has run out. {IT_TAKES}"
SIGN_IN_LAPSED = (
    "ScholarPack did not accept the sign-in: too much time passed, or the page was loaded twice. Sign in to "
    "ScholarPack once more."
)
NOT_SWITCHED_ON = (
    "ScholarPack knows us but gives us nothing of this school: its API is not switched on. In ScholarPack, switch it "
    "on at Admin > Config > API Configuration, and then sign in again from Settings > MIS Link."
)
NOT_THERE = (
    "ScholarPack does not have what we asked for at the address set for it. Ask whoever runs the hub to check "
    "ScholarPack’s address."
)
NOT_ITS_FORMAT = (
    "ScholarPack answered with something that is not its usual data, perhaps a page about maintenance. Test the link "
    "again in an hour; if it still says so, send the details to support."
)
IN_CIRCLES = (
    "ScholarPack’s list of {what} leads round in circles and never ends, so it was not read. Send the details to "
    "support."
)
LED_AWAY = (
    "ScholarPack’s list of {what} goes on at an address that is not ScholarPack’s, so it was not followed. Send the "
    "details to support."
)
PART_ONLY = (
    "ScholarPack sent only a part of its list of {what}, however often we asked for the rest. Nobody was taken to have "
    "left. If it is so again tomorrow, ask ScholarPack’s support desk."
)
UNSTEADY = (
    "ScholarPack’s list of {what} changed each time we read it, so we could not be sure that nobody is missing. This "
    "mostly passes when nobody works in ScholarPack."
)
MAY_NOT_READ = (
    "ScholarPack lets us in, but does not let us read its {what}. Whoever signs in again has to allow everything that "
    "is asked for, and needs both Admin and System Admin."
)
ANOTHER_SCHOOL = (
    "ScholarPack’s permission is for another school, {theirs}, so nothing was fetched. When you sign in again, type in "
    "your own School URL: it stands in ScholarPack at Admin > Config > API Configuration."
)
NO_STAFF = (
    "ScholarPack did not let us read its staff; what is known of them stays as it was. To have them kept up to date, "
    "sign in to ScholarPack again from Settings > MIS Link and allow staff too."
)
NO_ANSWER = (
    "This may pass by itself: test the link again in some minutes. If it stays so, ask ScholarPack’s support desk "
    "whether its service is running."
)


def not_its_format(where: str) -> Wrong:
    """Return the error for an answer that is not ScholarPack's, as a function of what is wrong."""
    return lambda detail: SnapshotFormatError(NOT_ITS_FORMAT, detail=f"{where}: {detail}")


def parted(sentence: str) -> tuple[str, str]:
    """Return what was wrong, and what to do about it."""
    what, stop, do = sentence.partition(". ")
    return (f"{what}.", do) if stop else (what, "")
