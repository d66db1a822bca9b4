"""“This was not me”: the link in a notice, and the page it leads to. Belongs to no one school."""

from __future__ import annotations

from django.urls import path

from verification.changes import not_me_views

app_name = "not_me"
urlpatterns = [
    path("not-me/", not_me_views.page, name="page"),
    path("not-me/<str:token>/", not_me_views.link, name="link"),
]
