"""Whether a plan may be applied, applied without its removals, or must wait for a person. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from imports.types import (
    CONTACT,
    KINDS,
    PUPIL,
    STAFF,
    Assessment,
    Decision,
    History,
    KindStats,
    Limits,
    Plan,
    Reading,
    Reason,
    Verdict,
)


@dataclass(frozen=True, slots=True)
class Came:
    """How what came is spoken of: a file, or what was fetched from an MIS."""

    it: str = "the file"
    this: str = "this file"
    about_another: str = (
        "Send this school's own file. If its DfE number has changed, ask whoever runs Schoolgate to change it."
    )
    about_several: str = "Limit the reports in the MIS to this school's own people, and run them again."
    empty: str = "Check the report in the MIS: it may have run without permission or with a filter."
    few: str = "Check that the report is of the whole school, and that nobody restored or replaced the MIS database."
    otherwise: str = "check the report"


A_FILE = Came()


def fetched(mis_name: str) -> Came:
    """Return how to speak of what was fetched from this MIS."""
    answer = f"the answer of {mis_name}"
    ours = f"Compare the DfE number of the school in {mis_name} with the one above."
    return Came(
        it=answer,
        this=answer,
        about_another=f"{ours} If yours has changed, ask whoever runs Schoolgate to change it; if {mis_name} is wrong, "
        "ask its support.",
        about_several=f"Ask the support of {mis_name} to let Schoolgate see this school's own people only.",
        empty=f"Look whether they can be seen in {mis_name}, and whether Schoolgate may still see them.",
        few=f"Look whether everybody can be seen in {mis_name}, and whether its data was restored or replaced.",
        otherwise=f"ask the support of {mis_name} why they were not given",
    )


NOUNS = {PUPIL: ("pupil", "pupils"), CONTACT: ("parent", "parents"), STAFF: ("member of staff", "members of staff")}


def assess(
    plan: Plan,
    reading: Reading,
    *,
    limits: Limits,
    history: History,
    decision: Decision,
    dfe_number: str,
    came: Came = A_FILE,
) -> Assessment:
    """Say how much of `plan` goes ahead, with a sentence for everything that does not.

    Losses of access are never held (`imports.planning.plan.access_losses`), except where the snapshot is
    another school's. A person's earlier `decision` lets through what was shown, and no more:
    whoever keeps everybody has seen the updates, too.
    """
    if reading.dfe_numbers - {dfe_number}:
        return Assessment(Verdict.REFUSE, (_wrong_school(reading, dfe_number, came),))
    if not decision.action:
        reasons = [reason for kind in KINDS for reason in _hold_all(kind, plan.stats[kind], reading, limits, came)]
        if reasons:
            return Assessment(Verdict.HOLD, tuple(reasons))
    held = _held(plan, limits, history, decision, came)
    if held:
        # Where so many of one kind are missing, the few of another are as doubtful: the floor is for quiet nights.
        held = _held(plan, replace(limits, removal_floor=0), history, decision, came)
        *first, last = held.values()
        last = replace(last, sentence=f"{last.sentence} Everything else is in.")
        return Assessment(Verdict.WITHOUT_REMOVALS, (*first, last), frozenset(held))
    return Assessment(Verdict.PROCEED)


def _held(plan: Plan, limits: Limits, history: History, decision: Decision, came: Came) -> dict[str, Reason]:
    """Return why removals of a kind wait, for each kind of which they do."""
    reasons = {kind: _held_removals(kind, plan.stats[kind], limits, history, decision, came) for kind in KINDS}
    return {kind: reason for kind, reason in reasons.items() if reason is not None}


def _wrong_school(reading: Reading, dfe_number: str, came: Came) -> Reason:
    theirs = " and ".join(sorted(f"{number[:3]}/{number[3:]}" for number in reading.dfe_numbers - {dfe_number}))
    ours = f"{dfe_number[:3]}/{dfe_number[3:]}"
    if dfe_number in reading.dfe_numbers:
        return Reason(
            "wrong_school",
            f"{_begin(came.this)} is about {ours} and about another school, {theirs}. Nothing was imported.",
            came.about_several,
        )
    return Reason(
        "wrong_school",
        f"{_begin(came.this)} is about school {theirs}, not about {ours}. Nothing was imported.",
        came.about_another,
    )


def _begin(words: str) -> str:
    return words[:1].upper() + words[1:]


def _hold_all(kind: str, stats: KindStats, reading: Reading, limits: Limits, came: Came) -> list[Reason]:
    noun = NOUNS[kind][1]
    if kind in reading.complete and not stats.in_file and (stats.known or kind == PUPIL):
        before = f"; last time there were {stats.known:,}" if stats.known else ""
        return [
            Reason(
                "empty",
                f"{_begin(came.it)} has no {noun} at all{before}.",
                came.empty,
            )
        ]
    if stats.doubles > max(limits.removal_floor, max(stats.known, stats.in_file) * limits.removal_percent / 100):
        return [
            Reason(
                "doubles",
                f"{stats.doubles:,} {noun} in {came.this} seem to be people who are here already, under other ids.",
                "Importing it would make a second record of each. Give everybody the ids they had before.",
            )
        ]
    if not stats.known:
        return []
    if kind in reading.complete and stats.present * 100 < stats.known * limits.present_percent:
        return [
            Reason(
                "few_present",
                f"Only {stats.present:,} of the {stats.known:,} {noun} known so far are in {came.this}.",
                came.few,
            )
        ]
    if stats.rekeyed > max(limits.removal_floor, stats.known * limits.removal_percent / 100):
        return [
            Reason(
                "rekeyed",
                f"{stats.rekeyed:,} {noun} have come back under new MIS record numbers.",
                "This happens when an MIS is moved or restored. Check with whoever looks after it before you go on.",
            )
        ]
    if stats.counted_updates > max(limits.removal_floor, stats.known * limits.update_percent / 100):
        return [
            Reason(
                "many_updates",
                f"{stats.counted_updates:,} of {stats.known:,} {noun} would change in one night,"
                f" more than the {limits.update_percent} % you allow.",
                "Look at a few of the changes below. If they are right, apply them.",
            )
        ]
    return []


def _held_removals(
    kind: str, stats: KindStats, limits: Limits, history: History, decision: Decision, came: Came
) -> Reason | None:
    tonight = stats.removed
    if not tonight or tonight <= decision.removals.get(kind, 0):
        return None
    baseline = max(stats.known, history.largest.get(kind, 0))
    lately = tonight + history.removed.get(kind, 0)
    if lately <= max(limits.removal_floor, baseline * limits.removal_percent / 100):
        return None
    one, many = NOUNS[kind]
    words = f"{tonight:,} of {baseline:,} {many} are" if tonight != 1 else f"1 of {baseline:,} {many} is"
    before = f", after {history.removed[kind]:,} in the last seven nights" if history.removed.get(kind) else ""
    return Reason(
        "removals",
        f"{words} missing from {came.this}{before}: more than the {limits.removal_percent} % you allow,"
        f" so no {one} was removed.",
        f"Look at who is missing. If they have left, apply the removals; if not, keep everybody and {came.otherwise}.",
    )
