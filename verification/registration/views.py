"""The steps of registering: who, email, mobile, children, signing in. Each is a page; the last one takes effect."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from hub.accounts import passkeys, signing_in
from hub.accounts.models import Account
from hub.core.errors import HubError
from hub.people.judging import display
from hub.people.models import Staff
from verification import codes
from verification.errors import CodeRefused, InvitationRefused
from verification.registration import draft as join_draft
from verification.registration import joining, rules
from verification.registration.door import JOINED, JoinRequest, invited, posted
from verification.registration.draft import NEW, Sent
from verification.registration.forms import AboutForm, ChildrenForm, CodeForm, PasswordForm
from verification.registration.joining import Answers
from verification.registration.rules import EMAIL, MOBILE, Said, Told

P = ParamSpec("P")
PURPOSE = "join"
HANDLE = "join_handle"
"""Where the session keeps the handle of the login to be, to which the passkey is made."""


def steps(request: JoinRequest) -> list[str]:
    """Return the steps of this registration, in order; who has no child here names none."""
    left_out = {"children": not request.guest.children, MOBILE: not request.guest.texts}
    return [one for one in ("who", EMAIL, MOBILE, "children", "finish") if not left_out.get(one)]


def _done(request: JoinRequest) -> dict[str, bool]:
    draft, guest = request.draft, request.guest
    enough = rules.enough(draft.told, guest.second, guest.known)
    signed_in = str(request.account.pk) if request.account else NEW
    return {
        "who": draft.begun and draft.who == signed_in,
        EMAIL: EMAIL in draft.told and (guest.texts or enough),
        MOBILE: MOBILE in draft.told and enough,
        "children": {link.pk for link in guest.children} <= set(draft.mine),
        "finish": False,
    }


def _next(request: JoinRequest) -> str:
    if not request.draft.begun:
        return "start"
    done = _done(request)
    return next(one for one in steps(request) if not done[one])


def step(name: str) -> Callable[[Any], Callable[..., HttpResponse]]:
    """Let a step be seen only when those before it are done."""

    def decorate(view: Callable[Concatenate[JoinRequest, P], HttpResponse]) -> Callable[..., HttpResponse]:
        def inner(request: JoinRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            wanted = str(kwargs.get("kind", name))
            order, first = steps(request), _next(request)
            if first == "start" or wanted not in order or order.index(wanted) > order.index(first):
                return redirect(f"join:{first}")
            return view(request, *args, **kwargs)

        return invited(wraps(view)(inner))

    return decorate


def _page(request: JoinRequest, name: str, step_name: str, status: int = 200, **context: Any) -> HttpResponse:
    order = steps(request)
    place = order.index(step_name)
    shown = {
        "guest": request.guest,
        "number": place + 1,
        "total": len(order),
        "back": f"join:{order[place - 1]}" if place else "",
        **context,
    }
    return render(request, f"verification/join/{name}.html", shown, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@step("who")
def who(request: JoinRequest) -> HttpResponse:
    """New here, or a login that is there already."""
    if request.account is not None:
        joining.refuse_stranger(request.guest, request.account)
    if request.method != "POST":
        return _page(request, "who", "who", same_name=_same_name(request))
    request.draft.who = str(request.account.pk) if request.account else NEW
    request.draft.save(request)
    return redirect(f"join:{_next(request)}")


def _same_name(request: JoinRequest) -> bool:
    """Whether the login is called as the record is; else the page asks twice."""
    owner, account = request.guest.owner, request.account
    if account is None or not account.name:
        return True
    called = account.name.casefold()
    return all(name.casefold() in called for name in (*owner.forename.split()[:1], owner.surname))


# Email and mobile


@require_http_methods(["GET", "HEAD", "POST"])
@step("about")
def about(request: JoinRequest, kind: str) -> HttpResponse:
    """Confirm, correct or do without an email or a mobile; what is not proved yet gets a code."""
    elsewhere = sorted(joining.proven_elsewhere(request.account)[kind])
    must = request.guest.second == kind
    known = _offered(request, kind, elsewhere, must)
    form = AboutForm(posted(request), kind=kind, known=known, only_known=must, needed=_must(request, kind))
    if request.method == "POST" and form.is_valid():
        return _take(request, kind, form.cleaned_data["value"], elsewhere)
    return _page(
        request,
        "about",
        kind,
        status=422 if request.method == "POST" else 200,
        form=form,
        kind=kind,
        options=[
            {
                "name": name,
                "shown": display(kind, value),
                "proved": value in elsewhere or _by_link(request, kind, value),
                "elsewhere": value in elsewhere,
                "at_school": value == request.guest.known[kind].value,
            }
            for name, value in zip(form.choices, known, strict=True)
        ],
        must=must,
        needed=_must(request, kind),
        other_allowed=not must,
        chosen=form.data.get("choice", ""),
    )


def _offered(request: JoinRequest, kind: str, elsewhere: list[str], must: bool) -> list[str]:
    """Return the values to choose from: the school's, then what this login has proved at another school."""
    school = request.guest.known[kind].value
    if must:
        return [school]
    return list(dict.fromkeys([value for value in (school, *elsewhere) if value]))


def _must(request: JoinRequest, kind: str) -> bool:
    """Whether doing without this one would leave nothing proved."""
    if not request.guest.texts:
        return kind == EMAIL
    other = request.draft.told.get(EMAIL)
    return kind == MOBILE and (other is None or other.said != Said.PROVED)


def _by_link(request: JoinRequest, kind: str, value: str) -> bool:
    return kind == EMAIL and value != "" and value == request.guest.proved_by_link


def _take(request: JoinRequest, kind: str, value: str, elsewhere: list[str]) -> HttpResponse:
    if not value:
        return _said(request, kind, Told(Said.NONE))
    if value in elsewhere or _by_link(request, kind, value):
        return _said(request, kind, Told(Said.PROVED, value))
    told = request.draft.told.get(kind)
    if told == Told(Said.PROVED, value):
        return _said(request, kind, told)
    return _send(request, kind, value)


def _said(request: JoinRequest, kind: str, told: Told) -> HttpResponse:
    request.draft.told[kind] = told
    request.draft.sent.pop(kind, None)
    request.draft.save(request)
    return redirect(f"join:{_next(request)}")


def _send(request: JoinRequest, kind: str, address: str, said: str = "") -> HttpResponse:
    """Send a code; `said` is what the next page tells, if one went out."""
    try:
        made = codes.send_code(
            subject=request.guest.subject,
            purpose=_purpose(kind),
            kind=kind,
            address=address,
            school_name=request.guest.school.name,
            now=request.now,
        )
    except CodeRefused as refusal:
        messages.error(request, refusal.message)
        return redirect(f"join:{kind}")
    request.draft.told.pop(kind, None)
    request.draft.sent[kind] = Sent(made.pk, address)
    request.draft.save(request)
    if said:
        messages.success(request, said)
    return redirect(f"join:{kind}_code")


def _purpose(kind: str) -> str:
    return f"{PURPOSE}-{kind}"


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("code")
@step("about")
def code(request: JoinRequest, kind: str) -> HttpResponse:
    """Take the code that was sent, send a new one, or leave the detail unconfirmed."""
    sent = request.draft.sent.get(kind)
    if sent is None:
        return redirect(f"join:{kind}")
    if "again" in request.POST:
        said = _("A new code is on its way. The one before opens nothing any more.")
        return _send(request, kind, sent.address, said)
    if "later" in request.POST and _may_wait(request, kind, sent):
        return _said(request, kind, Told(Said.KEPT, sent.address))
    form = CodeForm(posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            proof = codes.check_code(
                code_id=sent.code_id,
                subject=request.guest.subject,
                purpose=_purpose(kind),
                typed=form.cleaned_data["code"],
                now=request.now,
            )
        except CodeRefused as refusal:
            form.add_error("code", refusal.message)
        else:
            return _said(request, kind, Told(Said.PROVED, proof.address))
    return _page(
        request,
        "code",
        kind,
        status=422 if request.method == "POST" else 200,
        form=form,
        kind=kind,
        address=display(kind, sent.address),
        may_wait=_may_wait(request, kind, sent),
        change=f"join:{kind}",
        back=f"join:{kind}",
    )


def _may_wait(request: JoinRequest, kind: str, sent: Sent) -> bool:
    """Whether the school's own value may stay unconfirmed for now."""
    needed = request.guest.second == kind or _must(request, kind)
    return sent.address == request.guest.known[kind].value and not needed


# Children, and the last step


@require_http_methods(["GET", "HEAD", "POST"])
@step("children")
def children(request: JoinRequest) -> HttpResponse:
    """Mine, or not my child."""
    said = {f"child_{link}": "yes" if mine else "no" for link, mine in request.draft.mine.items()}
    form = ChildrenForm(posted(request), links=request.guest.children, initial=said)
    if request.method == "POST" and form.is_valid():
        request.draft.mine = form.mine
        request.draft.save(request)
        return redirect(f"join:{_next(request)}")
    rows = [(link, form[f"child_{link.pk}"]) for link in request.guest.children]
    return _page(request, "children", "children", status=422 if form.errors else 200, form=form, rows=rows)


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
@step("finish")
def finish(request: JoinRequest) -> HttpResponse:
    """Everything once more, then the button that makes it so: with a new password, or with the login that is there."""
    unsaved, by = _unsaved(request)
    form = PasswordForm(posted(request), unsaved=unsaved) if request.account is None and by else None
    if request.method == "POST" and (request.account or (form and form.is_valid())):
        password = form.cleaned_data["password"] if form else ""
        joined = joining.join(
            guest=request.guest, answers=_answers(request), account=request.account, password=password, now=request.now
        )
        return redirect(_welcome(request, joined))
    proved = _proved(request)
    return _page(
        request,
        "finish",
        "finish",
        status=422 if form and form.errors else 200,
        form=form,
        by=by,
        by_value=display(by, proved[by]) if by else "",
        email_taken=EMAIL in proved and by != EMAIL,
        mobile_taken=MOBILE in proved and not by,
        said=[(kind, told, display(kind, told.value)) for kind, told in request.draft.told.items()],
        mine=[link.pupil for link in request.guest.children if request.draft.mine[link.pk]],
        not_mine=[link.pupil for link in request.guest.children if not request.draft.mine[link.pk]],
        passkeys=request.account is None and passkeys.possible(request),
        is_staff=isinstance(request.guest.owner, Staff),
    )


def _proved(request: JoinRequest) -> dict[str, str]:
    return {kind: told.value for kind, told in request.draft.told.items() if told.said == Said.PROVED}


def _answers(request: JoinRequest) -> Answers:
    return Answers(details=request.draft.told, mine=request.draft.mine)


def _unsaved(request: JoinRequest) -> tuple[Account, str]:
    """Return the login as it will be, for the rules of passwords and for the passkey, and what it signs in by."""
    proved, owner = _proved(request), request.guest.owner
    name = " ".join(part for part in (owner.forename, owner.surname) if part)
    return Account(email=proved.get(EMAIL), mobile=proved.get(MOBILE), name=name), joining.sign_in_by(proved)


def _welcome(request: JoinRequest, joined: joining.Joined) -> str:
    """Sign the new login in, under a new session key, and lead to the page that says what happens now."""
    join_draft.forget(request)
    if joined.is_new:
        signing_in.sign_in(request, joined.account, how="invitation")
    request.session[JOINED] = {
        "school": request.guest.school.name,
        "staff": isinstance(request.guest.owner, Staff),
        "new": joined.is_new,
        "denied": [str(link.pupil) for link in request.guest.children if not request.draft.mine.get(link.pk, True)],
    }
    return "join:done"


# Signing in by a passkey from the first day


@require_POST
@step("finish")
def passkey_begin(request: JoinRequest) -> HttpResponse:
    """Tell the browser what a passkey for the login to be is made of."""
    if request.account is not None:
        return redirect("join:finish")
    unsaved, _by = _unsaved(request)
    request.session[HANDLE] = str(unsaved.handle)
    options = passkeys.begin_registration(request, unsaved, now=request.now)
    return HttpResponse(options, content_type="application/json")


@require_POST
@step("finish")
def passkey_finish(request: JoinRequest) -> HttpResponse:
    """Take the passkey the browser made, and make everything so."""
    handle = request.session.pop(HANDLE, "")
    if request.account is not None or not handle:
        return JsonResponse({"next": reverse("join:finish")}, status=409)

    def keep(account: Account) -> None:
        Account.objects.filter(pk=account.pk).update(handle=handle)
        passkeys.finish_registration(request, account, answer=answer, name=_("My first passkey"), now=request.now)

    try:
        answer = passkeys.read(request.body)
        joined = joining.join(
            guest=request.guest, answers=_answers(request), account=None, passkey=keep, now=request.now
        )
    except InvitationRefused:
        return JsonResponse({"next": reverse("join:start")}, status=409)
    except HubError as refusal:
        return JsonResponse({"sentence": refusal.message}, status=422)
    return JsonResponse({"next": reverse(_welcome(request, joined))})
