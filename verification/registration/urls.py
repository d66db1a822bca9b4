"""Registering: public pages, opened by the link or the letter of an invitation."""

from __future__ import annotations

from django.urls import URLPattern, path

from verification.registration import door, views

app_name = "join"
urlpatterns: list[URLPattern] = [
    path("", door.start, name="start"),
    path("letter/", door.letter, name="letter"),
    path("who/", views.who, name="who"),
    path("not-me/", door.not_me, name="not_me"),
    path("email/", views.about, {"kind": "email"}, name="email"),
    path("email/code/", views.code, {"kind": "email"}, name="email_code"),
    path("mobile/", views.about, {"kind": "mobile"}, name="mobile"),
    path("mobile/code/", views.code, {"kind": "mobile"}, name="mobile_code"),
    path("children/", views.children, name="children"),
    path("finish/", views.finish, name="finish"),
    path("passkey/begin/", views.passkey_begin, name="passkey_begin"),
    path("passkey/finish/", views.passkey_finish, name="passkey_finish"),
    path("done/", door.done, name="done"),
    path("<str:token>/", door.link, name="link"),
]
