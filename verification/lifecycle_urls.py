"""Addresses of what ends or mends a connection, below a school."""

from __future__ import annotations

from django.urls import URLPattern, path

from verification import lifecycle_views

urlpatterns: list[URLPattern] = [
    path("people/<slug:owner>/<int:person_id>/disconnect/", lifecycle_views.disconnect, name="disconnect"),
    path("people/contacts/<int:person_id>/reset/", lifecycle_views.reset, name="reset"),
]
