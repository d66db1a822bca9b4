"""Start-up: every new database connection takes on the app role and its scope."""

from django.apps import AppConfig
from django.db.backends.signals import connection_created


class CoreConfig(AppConfig):
    name = "hub.core"
    label = "core"

    def ready(self) -> None:
        from hub.core.scope import on_connection_created

        connection_created.connect(on_connection_created, dispatch_uid="hub.core.scope")
