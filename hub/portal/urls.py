"""The parents' portal: everything of one's own below /home/."""

from __future__ import annotations

from django.urls import path

from hub.portal import pages

app_name = "portal"
urlpatterns = [
    path("home/", pages.home, name="home"),
    path("home/messages/", pages.messages, name="messages"),
    path("home/notices/", pages.messages, name="notices"),
    path("home/children/", pages.children, name="children"),
    path("home/children/<int:pupil_id>/not-mine/", pages.children, name="not_mine"),
    path("home/records/<int:kept_id>/<int:gone_id>/", pages.children, name="merge"),
    path("home/approvals/", pages.approvals, name="approvals"),
    path("home/approvals/<int:change_id>/", pages.approval, name="approval"),
    path("home/approvals/<int:change_id>/yes/", pages.approval, name="yes"),
    path("home/approvals/<int:change_id>/no/", pages.approval, name="no"),
    path("home/offers/<int:change_id>/no/", pages.approval, name="decline"),
    path("home/details/", pages.details, name="details"),
    path("home/details/proof/<uuid:batch>/", pages.details, name="proof"),
    path("home/details/not-me/<uuid:batch>/", pages.details, name="not_me"),
    path("home/details/<slug:kind>/", pages.details, name="change"),
    path("home/details/<slug:kind>/take-out/", pages.details, name="take_out"),
]
