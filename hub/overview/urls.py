"""The staff home, and Settings."""

from __future__ import annotations

from django.urls import path

from hub.overview import home

app_name = "overview"
urlpatterns = [
    path("", home.home, name="home"),
]
