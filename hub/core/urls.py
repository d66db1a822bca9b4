"""Health, for machines."""

from __future__ import annotations

from django.urls import path

from hub.core import views

app_name = "core"
urlpatterns = [
    path("health", views.ready, name="health"),
    path("health/live", views.live, name="live"),
]
