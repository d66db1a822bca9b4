"""One's own login, below /account/: for parents and for staff."""

from __future__ import annotations

from django.urls import path

from hub.portal import account_factors, account_views

app_name = "account"
urlpatterns = [
    path("", account_views.home, name="home"),
    path("prove/", account_views.prove, name="prove"),
    path("prove/passkey/", account_views.prove_by_passkey, name="prove_by_passkey"),
    path("password/", account_views.password, name="password"),
    path("devices/end/", account_views.end_device, name="end_device"),
    path("devices/end-others/", account_views.end_others, name="end_others"),
    path("second-factor/", account_factors.second_factor_page, name="second_factor"),
    path("time-code/", account_factors.time_code, name="time_code"),
    path("time-code/remove/", account_factors.remove_time_code, name="remove_time_code"),
    path("passkeys/begin/", account_factors.passkey_begin, name="passkey_begin"),
    path("passkeys/", account_factors.passkey_finish, name="passkey_finish"),
    path("passkeys/<int:passkey_id>/", account_factors.passkey, name="passkey"),
    path("passkeys/<int:passkey_id>/remove/", account_factors.remove_passkey, name="remove_passkey"),
    path("recovery-codes/", account_factors.make_recovery_codes, name="recovery_codes"),
]
