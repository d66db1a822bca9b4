"""Pupils, parents and staff."""

from __future__ import annotations

from django.urls import URLPattern, path

from hub.people import person_views, views

app_name = "people"
urlpatterns: list[URLPattern] = [
    path("people/", views.people, name="list"),
    path("people/search/", views.search, name="search"),
    path("people/lists/<slug:name>/", views.lists, name="lists"),
    path("people/lists/<slug:name>.csv", views.list_csv, name="csv"),
    path("people/add/", person_views.add_by_hand, name="add"),
    path("people/do-not-import/", person_views.exclusions, name="exclusions"),
    path("people/do-not-import/<int:exclusion_id>/import-again/", person_views.include, name="include"),
    path("people/records/<int:identity_id>/do-not-import/", person_views.exclude, name="exclude"),
    path("people/pupils/<int:person_id>/", person_views.pupil, name="pupil"),
    path("people/contacts/<int:person_id>/", person_views.contact, name="contact"),
    path("people/contacts/<int:person_id>/remove/", person_views.remove_by_hand, name="remove"),
    path("people/staff/<int:person_id>/", person_views.staff, name="staff"),
]
