"""What the portal says: schools in a row, the state of a detail and of a change, in the parent's language. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.text import get_text_list
from django.utils.translation import gettext as _

from hub.people.judging import display
from hub.people.models import ContactDetail, DetailKind, DetailSource
from hub.portal.selectors import Record
from hub.portal.templatetags.portal_words import moment
from verification.models import DetailChange, Field, MisState, Origin, Status


@dataclass(frozen=True, slots=True)
class State:
    """A sentence, the tone of its colour and its word: "Confirmed"."""

    tone: str
    word: str
    sentence: str


def shown(kind: str, value: str) -> str:
    """Return a value as people write it; a number stays on one line."""
    return display(kind, value).replace(" ", "\u00a0")


def kind_name(kind: str) -> str:
    """`email` or `mobile`, in the middle of a sentence."""
    return _("email") if kind == DetailKind.EMAIL else _("mobile")


def kind_title(kind: str) -> str:
    """`Email` or `Mobile`."""
    return _("Email") if kind == DetailKind.EMAIL else _("Mobile")


def change_words(kind: str, has_one: bool) -> str:
    """What the button says that leads to a new value."""
    if kind == DetailKind.EMAIL:
        return _("Change my email") if has_one else _("Add an email")
    return _("Change my mobile") if has_one else _("Add a mobile")


def which_is_used(kind: str) -> str:
    """Ask which of two values is used from now on."""
    if kind == DetailKind.EMAIL:
        return _("Which email is used from now on?")
    return _("Which mobile is used from now on?")


def listed(names: Iterable[str]) -> str:
    """`Larch Hill, Beck Road and Elm Grove`, each once."""
    return get_text_list(list(dict.fromkeys(names)), _("and"))


def places_of(own: Sequence[Record], among: Sequence[Record]) -> str:
    """The schools of these records; said as whom only where it tells some of a school's from others."""
    whole = {school for school in {one.school.pk for one in own} if _count(own, school) == _count(among, school)}
    return listed(one.school.name if one.school.pk in whole else place_of(one, among) for one in own)


def _count(records: Sequence[Record], school_id: int) -> int:
    return sum(one.school.pk == school_id for one in records)


def place_of(record: Record, among: Sequence[Record]) -> str:
    """The school; where the person has several records there, also as whom it has them."""
    name = record.school.name
    twins = [one for one in among if one.school.pk == record.school.pk]
    if len(twins) < 2:
        return name
    if record.is_staff:
        return _("{school}, as staff").format(school=name)
    if sum(not one.is_staff for one in twins) < 2:
        return _("{school}, as a parent").format(school=name)
    return _("{school}, as {name}").format(school=name, name=record.owner)


# A detail


def detail_state(detail: ContactDetail) -> State:
    """Say how far a value is to be trusted, and why it says that."""
    if not detail.deliverable:
        return State("bad", _("Does not arrive"), _("Messages to it do not arrive. Change it, please."))
    if detail.verified_at:
        return _confirmed(detail)
    if detail.source == DetailSource.ORGANISATION:
        sentence = _("The school office entered it on {when}. You have not confirmed it yet.")
    else:
        sentence = _("It came from the school's own records on {when}. You have not confirmed it yet.")
    return State("warn", _("Not confirmed"), sentence.format(when=moment(detail.changed_at)))


def _confirmed(detail: ContactDetail) -> State:
    when = moment(detail.verified_at)
    if detail.source == DetailSource.ORGANISATION:
        sentence = _("The school asked to change it, and you agreed: confirmed on {when}.")
    else:
        sentence = _("You confirmed it on {when}.")
    return State("good", _("Confirmed"), sentence.format(when=when))


def school_side(detail: ContactDetail) -> str:
    """Say where the school's own records differ from what is used; blank where they do not."""
    if not detail.verified_at or detail.mis_value == detail.value:
        return ""
    if not detail.mis_value:
        return _("The school's own records have none. The office has been asked to add it.")
    value = shown(detail.kind, detail.mis_value)
    return _("The school's own records still say {value}. The office has been asked to correct them.").format(
        value=value
    )


# A change


def change_title(change: DetailChange) -> str:
    """Say what changed, or would: `Mobile: 07700 900111 → 07700 900222`."""
    if change.field == Field.CHILD:
        return _("{pupil} is not my child").format(pupil=change.pupil or change.pupil_names)
    if change.field == Field.RECORD:
        return _("Two records made one")
    kind = kind_title(change.field)
    if change.status == Status.KEPT:
        return (_("{kind} kept") if change.new_value else _("{kind} turned down")).format(kind=kind)
    if effect_of(change) != "made":
        asked = change.origin != Origin.PERSON
        return (_("{kind}: a school asked") if asked else _("{kind}: a change begun")).format(kind=kind)
    if not change.new_value:
        return _("{kind} taken out").format(kind=kind)
    return _("{kind} changed").format(kind=kind) if change.old_value else _("{kind} added").format(kind=kind)


def effect_of(change: DetailChange) -> str:
    """`made`, `open` or `not made`: how the old and the new value stand to each other."""
    if change.status in (Status.APPROVED, Status.KEPT):
        return "made"
    return "open" if change.status in (Status.PENDING, Status.WAITING) else "not made"


def change_state(change: DetailChange) -> State:
    """Say what became of a change."""
    word, tone = _STATUS_WORDS[Status(change.status)]
    sentence = _SENTENCES[Status(change.status)](change)
    return State(tone, _(word), sentence)


def answered_title(change: DetailChange) -> str:
    """Head the page of a question that is no longer open."""
    match change.status:
        case Status.EXPIRED | Status.PENDING:
            return _("The time to answer this is over.")
        case Status.WITHDRAWN:
            return _("This question is no longer asked.")
        case Status.WAITING:
            return _("One step is missing: the code.")
        case _:
            return _("This has been answered already.")


def answered_lead(change: DetailChange) -> str:
    """Say what can still be done about it; blank where nothing is left to do."""
    if change.status == Status.EXPIRED:
        return _("If it is still wanted, change it yourself under “My details”, or ask the office to ask again.")
    return _("You find the code's page under “My details”.") if change.status == Status.WAITING else ""


def mis_side(change: DetailChange) -> str:
    """Say whether the school's own records have followed; blank where there is nothing to follow."""
    settled = moment(change.settled_at)
    match change.mis_state:
        case MisState.TO_UPDATE:
            return _("The office has been asked to put it into the school's own records.")
        case MisState.DIFFERS:
            return _("The school's own records say something else again. The office has been asked to correct them.")
        case MisState.UPDATED:
            return _("The school's own records have said so since {when}.").format(when=settled)
        case MisState.DONE:
            return _("The office put it into the school's own records on {when}.").format(when=settled)
        case MisState.REPLACED:
            return _("Replaced by a later change.")
        case _:
            return ""


def _waiting(change: DetailChange) -> str:
    return _("Waiting for the code we sent to {value}; after {when} it lapses.").format(
        value=shown(change.field, change.new_value), when=moment(change.deadline)
    )


def _pending(change: DetailChange) -> str:
    return _("Waits for your answer. If you do nothing by {when}, it stays as it is.").format(
        when=moment(change.deadline)
    )


def _approved(change: DetailChange) -> str:
    when = moment(change.effective_at or change.answered_at or change.made_at)
    if change.field in (Field.CHILD, Field.RECORD):
        return _("You said so on {when}.").format(when=when)
    if change.origin == Origin.PERSON:
        return _("You changed it on {when}.").format(when=when)
    if change.answered_at:
        return _("The school asked, and you agreed on {when}.").format(when=when)
    return _("The school office changed it on {when}.").format(when=when)


def _rejected(change: DetailChange) -> str:
    when = moment(change.answered_at)
    if change.field == Field.CHILD:
        return _("The school office gave the access back on {when}.").format(when=when)
    if change.reason:
        return _("You said no on {when}: “{reason}”").format(when=when, reason=change.reason)
    return _("You said no on {when}.").format(when=when)


def _expired(change: DetailChange) -> str:
    if change.origin == Origin.PERSON or change.answered_at:
        return _("The code was not typed by {when}, so nothing changed.").format(when=moment(change.deadline))
    return _("Nobody answered by {when}, so it stayed as it was.").format(when=moment(change.deadline))


def _withdrawn(change: DetailChange) -> str:
    return _("Withdrawn on {when}. Nothing changed by it.").format(when=moment(change.answered_at or change.made_at))


def _frozen(change: DetailChange) -> str:
    if change.settled_at:
        return _("You said that this was not you. It went back, and the office looked into it on {when}.").format(
            when=moment(change.settled_at)
        )
    return _("You said that this was not you. It went back to what it was, and the office is looking into it.")


def _kept(change: DetailChange) -> str:
    if not change.new_value:
        return _(
            "The school's own records say {value}, which is not yours. The office has been asked to take it out."
        ).format(value=shown(change.field, change.old_value))
    return _("The school's own records say {value}. What you confirmed stays.").format(
        value=shown(change.field, change.old_value) or _("nothing")
    )


def _offered(change: DetailChange) -> str:
    return _("The school's own records have {value}.").format(value=shown(change.field, change.new_value))


_SENTENCES = {
    Status.WAITING: _waiting,
    Status.PENDING: _pending,
    Status.APPROVED: _approved,
    Status.REJECTED: _rejected,
    Status.EXPIRED: _expired,
    Status.WITHDRAWN: _withdrawn,
    Status.FROZEN: _frozen,
    Status.KEPT: _kept,
    Status.OFFER: _offered,
}


def N_(text: str) -> str:
    return text


_STATUS_WORDS = {
    Status.WAITING: (N_("Waiting for your code"), "warn"),
    Status.PENDING: (N_("Waits for you"), "warn"),
    Status.APPROVED: (N_("Done"), "good"),
    Status.REJECTED: (N_("You said no"), "quiet"),
    Status.EXPIRED: (N_("Lapsed"), "quiet"),
    Status.WITHDRAWN: (N_("Withdrawn"), "quiet"),
    Status.FROZEN: (N_("Not you"), "bad"),
    Status.KEPT: (N_("Kept"), "good"),
    Status.OFFER: (N_("Offered"), "quiet"),
}
