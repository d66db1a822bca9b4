from django.apps import AppConfig


class ImportsConfig(AppConfig):
    name = "imports"

    def ready(self) -> None:
        """Let `/health` ask about the links."""
        from hub.core import health
        from imports.link import health as link_health

        health.register("links", link_health.look)
