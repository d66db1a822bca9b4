"""The Verified User Changes Report."""

from __future__ import annotations

from django.urls import URLPattern, path

from verification import report_views

app_name = "verification"
urlpatterns: list[URLPattern] = [
    path("reports/verified-user-changes/", report_views.report, name="report"),
    path("reports/verified-user-changes.csv", report_views.report_csv, name="report_csv"),
    path("reports/verified-user-changes.pdf", report_views.report_pdf_file, name="report_pdf"),
    path("reports/verified-user-changes/search/", report_views.search, name="report_search"),
    path("reports/verified-user-changes/done/", report_views.mark_done, name="mark_done"),
    path("reports/verified-user-changes/open/", report_views.mark_open, name="mark_open"),
]
