from django.apps import AppConfig


class MessagingConfig(AppConfig):
    name = "hub.messaging"
    label = "messaging"

    def ready(self) -> None:
        """Let `/health` ask about notices."""
        from hub.core import health as checks
        from hub.messaging import health

        checks.register("notices", health.look)
