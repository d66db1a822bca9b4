"""Addresses: one include per domain, and the school's own pages below its slug."""

from django.urls import include, path

urlpatterns = [
    path("", include("hub.core.urls")),
    path("", include("hub.accounts.urls")),
    path("", include("hub.messaging.urls")),
    path("", include("imports.agent.urls")),
    path("", include("imports.link.consent_urls")),
    path("", include("hub.portal.urls")),
    path("account/", include("hub.portal.account_urls")),
    path("join/", include("verification.registration.urls")),
    path("recover/", include("verification.recovery.urls")),
    path("", include("verification.changes.not_me_urls")),
    path("<slug:school>/", include("hub.people.urls")),
    path("<slug:school>/", include("verification.urls")),
    path("<slug:school>/", include("imports.urls")),
    path("", include("hub.overview.urls")),
]
