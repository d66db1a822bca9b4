"""The parents' portal: everything of one's own below /home/."""

from __future__ import annotations

from django.urls import path

from hub.portal import answers, family, language, own_details, pages, proving

app_name = "portal"
urlpatterns = [
    path("home/", pages.home, name="home"),
    path("language/", language.choose, name="language"),
    path("home/messages/", pages.messages, name="messages"),
    path("home/notices/", pages.notices, name="notices"),
    path("home/children/", pages.children, name="children"),
    path("home/children/<int:pupil_id>/not-mine/", family.not_mine, name="not_mine"),
    path("home/records/<int:kept_id>/<int:gone_id>/", family.merge, name="merge"),
    path("home/approvals/", pages.approvals, name="approvals"),
    path("home/approvals/<int:change_id>/", pages.approval, name="approval"),
    path("home/approvals/<int:change_id>/yes/", answers.yes, name="yes"),
    path("home/approvals/<int:change_id>/no/", answers.no, name="no"),
    path("home/offers/<int:change_id>/no/", answers.decline, name="decline"),
    path("home/details/", pages.details, name="details"),
    path("home/details/proof/<uuid:batch>/", proving.proof, name="proof"),
    path("home/details/proof/<uuid:batch>/again/", proving.again, name="again"),
    path("home/details/proof/<uuid:batch>/cancel/", proving.cancel, name="cancel"),
    path("home/details/not-me/<uuid:batch>/", own_details.not_me, name="not_me"),
    path("home/details/<slug:kind>/", own_details.change, name="change"),
    path("home/details/<slug:kind>/take-out/", own_details.take_out, name="take_out"),
]
