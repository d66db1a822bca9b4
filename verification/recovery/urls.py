"""Getting back into a login: public pages. A token never stays in an address."""

from __future__ import annotations

from django.urls import URLPattern, path

from verification.recovery import door, views

app_name = "recovery"
urlpatterns: list[URLPattern] = [
    path("", door.begin, name="begin"),
    path("sent/", door.sent, name="sent"),
    path("which/", door.which, name="which"),
    path("letter/", door.letter, name="letter"),
    path("login/", views.login, name="login"),
    path("second/", views.second, name="second"),
    path("code/", views.code, name="code"),
    path("factor/", views.factor, name="factor"),
    path("passkey/", views.passkey, name="passkey"),
    path("password/", views.password, name="password"),
    path("link/<str:token>/", door.link, name="link"),
]
