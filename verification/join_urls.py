"""Registering: public pages, opened by the link or the letter of an invitation."""

from __future__ import annotations

from django.urls import URLPattern, path

from verification import join_door, join_views

app_name = "join"
urlpatterns: list[URLPattern] = [
    path("", join_door.start, name="start"),
    path("letter/", join_door.letter, name="letter"),
    path("who/", join_views.who, name="who"),
    path("not-me/", join_door.not_me, name="not_me"),
    path("email/", join_views.about, {"kind": "email"}, name="email"),
    path("email/code/", join_views.code, {"kind": "email"}, name="email_code"),
    path("mobile/", join_views.about, {"kind": "mobile"}, name="mobile"),
    path("mobile/code/", join_views.code, {"kind": "mobile"}, name="mobile_code"),
    path("children/", join_views.children, name="children"),
    path("finish/", join_views.finish, name="finish"),
    path("passkey/begin/", join_views.passkey_begin, name="passkey_begin"),
    path("passkey/finish/", join_views.passkey_finish, name="passkey_finish"),
    path("done/", join_door.done, name="done"),
    path("<str:token>/", join_door.link, name="link"),
]
