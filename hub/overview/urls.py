"""The staff home, and Settings."""

from __future__ import annotations

from django.urls import path

from hub.overview import home, pages, settings_views, staff_views, style_guide

app_name = "overview"
urlpatterns = [
    path("", home.home, name="home"),
    path("schools/", pages.all_schools, name="all_schools"),
    path("style-guide/", style_guide.style_guide, name="style_guide"),
    path("<slug:school>/", pages.overview, name="overview"),
    path("<slug:school>/settings/", settings_views.index, name="settings"),
    path("<slug:school>/settings/school/", settings_views.school_details, name="school_details"),
    path("<slug:school>/settings/staff/", staff_views.staff, name="staff"),
    path("<slug:school>/settings/staff/invite/", staff_views.invite, name="staff_invite"),
    path("<slug:school>/settings/staff/<int:membership_id>/", staff_views.member, name="staff_member"),
    path(
        "<slug:school>/settings/staff/<int:membership_id>/send-again/", staff_views.send_again, name="staff_send_again"
    ),
    path(
        "<slug:school>/settings/staff/<int:membership_id>/second-factor/",
        staff_views.reset_second_factor,
        name="staff_reset",
    ),
    path("<slug:school>/settings/staff/<int:membership_id>/end/", staff_views.end, name="staff_end"),
]
