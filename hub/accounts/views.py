"""Signing in and out."""

from __future__ import annotations

from django.contrib.auth.views import LoginView, LogoutView

from hub.accounts.forms import SignInForm


class SignIn(LoginView):
    """Email and password; a wrong pair says no more than that. The session's key changes on the way in."""

    template_name = "accounts/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True
    extra_context = {"title": "Sign in"}


class SignOut(LogoutView):
    """Ends the session. POST only: a link must not sign anybody out."""

    http_method_names = ["post"]
