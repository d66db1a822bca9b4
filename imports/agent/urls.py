"""What the agent in the school's network talks to."""

from __future__ import annotations

from django.urls import URLPattern, path

from imports.agent import views

app_name = "agent"
urlpatterns: list[URLPattern] = [
    path("agent/v1/uploads", views.uploads, name="uploads"),
    path("agent/v1/heartbeat", views.heartbeat, name="heartbeat"),
    path("agent/v1/check", views.check, name="check"),
]
