"""The office's pages about what people confirm: edits, answers, the Verified User Changes Report, choices."""

from __future__ import annotations

from django.urls import URLPattern, path

from verification import choices_views
from verification.changes import edit_many_views, edit_views, views
from verification.invitations import urls
from verification.lifecycle import record_views
from verification.lifecycle import urls as lifecycle_urls
from verification.reporting import views as report_views

app_name = "verification"
urlpatterns: list[URLPattern] = [
    *lifecycle_urls.urlpatterns,
    *urls.urlpatterns,  # before edit_detail, which takes any last word
    path("people/edit-many/", edit_many_views.edit_many, name="edit_many"),
    path("people/edit-many/search/", edit_many_views.search, name="edit_many_search"),
    path("people/<slug:owner>/<int:person_id>/<slug:kind>/", edit_views.edit_detail, name="edit_detail"),
    path("changes/<int:change_id>/ask-again/", views.ask_again, name="ask_again"),
    path("changes/<int:change_id>/withdraw/", views.withdraw, name="withdraw"),
    path("changes/<int:change_id>/lift/", views.lift, name="lift"),
    path("changes/<int:change_id>/undo-merge/", record_views.undo_merge, name="undo_merge"),
    path("settings/confirming/", choices_views.choices, name="choices"),
    path("reports/verified-user-changes/", report_views.report, name="report"),
    path("reports/verified-user-changes.csv", report_views.report_csv, name="report_csv"),
    path("reports/verified-user-changes.pdf", report_views.report_pdf_file, name="report_pdf"),
    path("reports/verified-user-changes/search/", report_views.search, name="report_search"),
    path("reports/verified-user-changes/done/", report_views.mark_done, name="mark_done"),
    path("reports/verified-user-changes/open/", report_views.mark_open, name="mark_open"),
]
