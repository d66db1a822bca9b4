"""Addresses of invitations and of the report Connection status, below a school."""

from __future__ import annotations

from django.urls import URLPattern, path

from verification.invitations import connection_views, views

urlpatterns: list[URLPattern] = [
    path("people/<slug:owner>/<int:person_id>/invite/", views.invite, name="invite"),
    path("people/<slug:owner>/<int:person_id>/letter/", views.letter, name="letter"),
    path("people/<slug:owner>/<int:person_id>/take-back/", views.take_back, name="take_back"),
    path("changes/<int:change_id>/give-back/", views.give_back, name="give_back"),
    path("reports/connections/", connection_views.report, name="connections"),
    path("reports/connections.csv", connection_views.report_csv, name="connections_csv"),
    path("reports/connections/invite/", connection_views.invite_all, name="invite_all"),
    path("reports/connections/invited/", connection_views.invited_all, name="invited_all"),
    path("reports/connections/letters/", connection_views.letters, name="letters"),
]
