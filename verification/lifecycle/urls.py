"""Addresses of what ends or mends a connection, below a school."""

from __future__ import annotations

from django.urls import URLPattern, path

from verification.lifecycle import views

urlpatterns: list[URLPattern] = [
    path("people/<slug:owner>/<int:person_id>/disconnect/", views.disconnect, name="disconnect"),
    path("people/contacts/<int:person_id>/reset/", views.reset, name="reset"),
]
