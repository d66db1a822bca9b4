"""The parents' portal: everything of one's own below /home/."""

from __future__ import annotations

from django.urls import path

from hub.portal import pages

app_name = "portal"
urlpatterns = [
    path("home/", pages.home, name="home"),
    path("home/children/", pages.children, name="children"),
    path("home/details/", pages.details, name="details"),
    path("home/approvals/", pages.approvals, name="approvals"),
    path("home/notices/", pages.notices, name="notices"),
    path("home/messages/", pages.messages, name="messages"),
    path("home/details/<slug:kind>/", pages.change, name="change"),
]
