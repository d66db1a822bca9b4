"""The pages of the simulated ScholarPack on which a school signs in and consents."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from mis_connectors.simulators.server import Response

_KEPT = ("response_type", "client_id", "redirect_uri", "scope", "state")
_READS = {
    "student:read": "Students: names, dates of birth, forms",
    "student-contact:read": "Contacts of students: names, addresses, telephones, emails",
    "staff:read": "Staff: names, roles, telephones, emails",
}
_PAGE = """<!doctype html><html lang="en-GB"><head><meta charset="utf-8"><title>{title} – ScholarPack</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>
body{{font:16px/1.5 system-ui,sans-serif;margin:0;background:#eef1f6;color:#1c2433}}
main{{max-width:26rem;margin:4rem auto;padding:2rem;background:#fff;border-radius:8px;box-shadow:0 1px 4px #0003}}
h1{{font-size:1.3rem;margin:0 0 1rem}} label{{display:block;margin:.8rem 0 .2rem}} .wrong{{color:#a4161a}}
input[type=text],input[type=password]{{width:100%;box-sizing:border-box;font:inherit;padding:.5rem}}
button{{font:inherit;margin:1.2rem .6rem 0 0;padding:.5rem 1rem}} .hint{{font-size:.85rem;color:#5a6478}}
</style></head><body><main><h1>{title}</h1>{body}</main></body></html>"""


def sign_in(asked: Mapping[str, str], *, hint: str, wrong: str = "") -> Response:
    """Ask for username, password and School URL."""
    said = f'<p class="wrong" role="alert">{escape(wrong)}</p>' if wrong else ""
    typed = {name: escape(asked.get(name, "")) for name in ("school_url", "username")}
    return _page(
        "Sign in to ScholarPack",
        f'{said}<form method="post" action="/oauth2/authorize/">{_hidden(asked)}'
        f'<label for="school_url">School URL</label>'
        f'<input type="text" id="school_url" name="school_url" required value="{typed["school_url"]}">'
        f'<p class="hint">You find it in ScholarPack at Admin &gt; Config &gt; API Configuration.</p>'
        f'<label for="username">Username</label>'
        f'<input type="text" id="username" name="username" required value="{typed["username"]}">'
        f'<label for="password">Password</label><input type="password" id="password" name="password" required>'
        f'<button type="submit">Sign in</button></form><p class="hint">{escape(hint)}</p>',
    )


def consent(asked: Mapping[str, str], *, session: str, school: str) -> Response:
    """Ask whether the application may read."""
    reads = "".join(f"<li>{escape(_READS[scope])}</li>" for scope in asked.get("scope", "").split() if scope in _READS)
    return _page(
        "Allow Schoolgate?",
        f"<p>Schoolgate asks to read from {escape(school)}:</p><ul>{reads}</ul>"
        f'<form method="post" action="/oauth2/authorize/">{_hidden(asked)}'
        f'<input type="hidden" name="session" value="{escape(session)}">'
        f'<button type="submit" name="answer" value="allow">Allow</button>'
        f'<button type="submit" name="answer" value="refuse">Do not allow</button></form>',
    )


def refusal(sentence: str) -> Response:
    """Say that the request itself is not right."""
    return _page("This does not work", f'<p class="wrong">{escape(sentence)}</p>', status=400)


def _hidden(asked: Mapping[str, str]) -> str:
    return "".join(
        f'<input type="hidden" name="{name}" value="{escape(asked[name])}">' for name in _KEPT if name in asked
    )


def _page(title: str, body: str, *, status: int = 200) -> Response:
    headers = {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"}
    return Response(status=status, headers=headers, body=_PAGE.format(title=escape(title), body=body).encode())
