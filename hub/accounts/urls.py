"""Signing in and out, and accepting an invitation. One's own login's pages are the portal's, below /account/."""

from __future__ import annotations

from django.urls import path

from hub.accounts import sign_in_views, views

app_name = "accounts"
urlpatterns = [
    path("sign-in/", sign_in_views.sign_in, name="sign_in"),
    path("sign-in/second/", sign_in_views.second, name="second"),
    path("sign-in/passkey/begin/", sign_in_views.passkey_begin, name="passkey_begin"),
    path("sign-in/passkey/", sign_in_views.passkey_finish, name="passkey_finish"),
    path("sign-out/", sign_in_views.sign_out, name="sign_out"),
    path("invitation/", views.invitation, name="invitation"),
    path("invitation/<str:token>/", views.invitation_link, name="invitation_link"),
]
