"""Getting back into a login: public pages. A token never stays in an address."""

from __future__ import annotations

from django.urls import URLPattern, path

from verification import recovery_door, recovery_views

app_name = "recovery"
urlpatterns: list[URLPattern] = [
    path("", recovery_door.begin, name="begin"),
    path("sent/", recovery_door.sent, name="sent"),
    path("which/", recovery_door.which, name="which"),
    path("letter/", recovery_door.letter, name="letter"),
    path("login/", recovery_views.login, name="login"),
    path("second/", recovery_views.second, name="second"),
    path("code/", recovery_views.code, name="code"),
    path("factor/", recovery_views.factor, name="factor"),
    path("passkey/", recovery_views.passkey, name="passkey"),
    path("password/", recovery_views.password, name="password"),
    path("link/<str:token>/", recovery_door.link, name="link"),
]
