"""Imports and the MIS Link."""

from __future__ import annotations

from django.urls import path

from imports import policy_pages, rejected_pages, run_actions, run_pages

app_name = "imports"
urlpatterns = [
    path("imports/", run_pages.import_list, name="list"),
    path("imports/upload/", run_actions.upload, name="upload"),
    path("imports/rejected/", rejected_pages.rejected, name="rejected"),
    path("imports/rejected.csv", rejected_pages.rejected_csv, name="rejected_csv"),
    path("imports/<int:import_id>/", run_pages.import_detail, name="detail"),
    path("imports/<int:import_id>/phases/", run_pages.import_phases, name="phases"),
    path("imports/<int:import_id>/changes.csv", run_pages.import_changes_csv, name="changes_csv"),
    path("imports/<int:import_id>/removals/", run_pages.import_removals, name="removals"),
    path("imports/<int:import_id>/decide/", run_actions.decide, name="decide"),
    path("imports/<int:import_id>/undo/", run_actions.undo, name="undo"),
    path("imports/<int:import_id>/file/", run_actions.raw_file, name="raw"),
    path("settings/mis-link/switch/", run_actions.switch, name="switch"),
    path("settings/who-is-imported/", policy_pages.who_is_imported, name="policy"),
    path("settings/who-is-imported/counts/", policy_pages.who_is_imported_counts, name="policy_counts"),
]
