"""The Verified User Changes Report."""

from __future__ import annotations

from django.urls import URLPattern

app_name = "verification"
urlpatterns: list[URLPattern] = []
