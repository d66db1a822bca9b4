"""The Verified User Changes Report."""

from __future__ import annotations

from django.urls import URLPattern, path

from verification import views

app_name = "verification"
urlpatterns: list[URLPattern] = [
    path("reports/verified-user-changes/", views.report, name="report"),
    path("reports/verified-user-changes.csv", views.report_csv, name="report_csv"),
]
