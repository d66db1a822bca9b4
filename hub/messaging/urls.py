"""How one wants notices, and the local inbox of the demo."""

from __future__ import annotations

from django.urls import path

from hub.messaging import views

app_name = "messaging"
urlpatterns = [
    path("account/notices/", views.choices, name="choices"),
    path("inbox/", views.inbox, name="inbox"),
    path("inbox/<int:mail_id>/", views.mail, name="mail"),
]
