"""Imports and the MIS Link."""

from __future__ import annotations

from django.urls import path

from imports.link import consent, support_views, views
from imports.pages import history, policy, provenance, rejected, run_actions, runs, sheets

app_name = "imports"
urlpatterns = [
    path("imports/", runs.import_list, name="list"),
    path("imports/upload/", run_actions.upload, name="upload"),
    path("imports/upload/templates/<slug:name>/", sheets.template, name="upload_template"),
    path("imports/<int:import_id>/sheet/", sheets.sheet, name="sheet"),
    path("imports/rejected/", rejected.rejected, name="rejected"),
    path("imports/rejected.csv", rejected.rejected_csv, name="rejected_csv"),
    path("imports/<int:import_id>/", runs.import_detail, name="detail"),
    path("imports/<int:import_id>/phases/", runs.import_phases, name="phases"),
    path("imports/<int:import_id>/changes.csv", runs.import_changes_csv, name="changes_csv"),
    path("imports/<int:import_id>/removals/", runs.import_removals, name="removals"),
    path("imports/<int:import_id>/decide/", run_actions.decide, name="decide"),
    path("imports/<int:import_id>/import/", run_actions.import_it, name="import_it"),
    path("imports/<int:import_id>/undo/", run_actions.undo, name="undo"),
    path("imports/<int:import_id>/file/", run_actions.raw_file, name="raw"),
    path("people/<slug:owner>/<int:person_id>/<slug:kind>/why/", provenance.why, name="why"),
    path("imports/of/<slug:kind>/<int:person_id>/", history.person_history, name="person_history"),
    path("settings/mis-link/switch/", run_actions.switch, name="switch"),
    path("settings/who-is-imported/", policy.who_is_imported, name="policy"),
    path("settings/who-is-imported/counts/", policy.who_is_imported_counts, name="policy_counts"),
    path("settings/mis-link/", views.mis_link, name="mis_link"),
    path("settings/mis-link/choose/", views.mis_link_choose, name="mis_link_choose"),
    path("settings/mis-link/set-up/", views.mis_link_setup, name="mis_link_setup"),
    path("settings/mis-link/test/", views.mis_link_test, name="mis_link_test"),
    path("settings/mis-link/begin/", views.mis_link_begin, name="mis_link_begin"),
    path("settings/mis-link/settings/", views.mis_link_settings, name="mis_link_settings"),
    path("settings/mis-link/consent/", consent.finish, name="mis_link_consent"),
    path("settings/mis-link/consent/begin/", consent.begin, name="mis_link_authorise"),
    path("settings/mis-link/support/", support_views.support_page, name="mis_link_support"),
    path("settings/mis-link/support/file/", support_views.support_file, name="mis_link_support_file"),
    path("settings/mis-link/progress/", views.mis_link_progress, name="mis_link_progress"),
    path("settings/mis-link/import/", views.mis_link_import, name="mis_link_import"),
    path("settings/mis-link/enable/", views.mis_link_enable, name="mis_link_enable"),
    path("settings/mis-link/disable/", views.mis_link_disable, name="mis_link_disable"),
    path("settings/mis-link/resume/", views.mis_link_resume, name="mis_link_resume"),
    path("settings/mis-link/schedule/", views.mis_link_schedule, name="mis_link_schedule"),
    path("settings/mis-link/pause/", views.mis_link_pause, name="mis_link_pause"),
    path("settings/mis-link/agent/", views.mis_link_agent, name="mis_link_agent"),
    path("settings/mis-link/agent/<int:token_id>/end/", views.mis_link_token, name="mis_link_token"),
]
