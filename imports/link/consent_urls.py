"""The one address of the hub to which an MIS sends a browser back."""

from __future__ import annotations

from django.urls import path

from imports.link import consent

app_name = "mis_consent"
urlpatterns = [path("mis-link/consent/", consent.come_back, name="come_back")]
