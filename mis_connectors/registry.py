"""The installed connectors: Django's own list of apps, nothing else."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from django.apps import AppConfig, apps

from mis_connectors.base import Connector, ConnectorInfo


class MisConnectorConfig(AppConfig):
    """Subclass this in a connector's `apps.py`; one line in INSTALLED_APPS then installs it."""

    default = False  # Django would otherwise not know which of two configs in an apps.py is meant
    connector_path: str
    """Dotted path of the class that implements `mis_connectors.base.Connector`."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.default = True

    def connector(self) -> Connector:
        module, _, name = self.connector_path.rpartition(".")
        made: Connector = getattr(import_module(module), name)()
        return made


class UnknownConnector(LookupError):
    """No installed connector has this slug."""


def connectors() -> dict[str, Connector]:
    """Return every installed connector by slug."""
    made = (config.connector() for config in apps.get_app_configs() if isinstance(config, MisConnectorConfig))
    return {connector.info.slug: connector for connector in made}


def connector(slug: str) -> Connector:
    """Return one connector; raises `UnknownConnector`."""
    try:
        return connectors()[slug]
    except KeyError:
        raise UnknownConnector(f"No connector named {slug!r} is installed.") from None


def infos() -> list[ConnectorInfo]:
    """Return how every installed connector describes itself, by name of the MIS."""
    return sorted((connector.info for connector in connectors().values()), key=lambda info: info.mis_name)


def agent_source(slug: str) -> str | None:
    """Return the text of the one file in a connector's `agent` folder, or None if it has none.

    Raises `UnknownConnector`.
    """
    for config in apps.get_app_configs():
        if isinstance(config, MisConnectorConfig) and config.connector().info.slug == slug:
            files = sorted((Path(config.path) / "agent").glob("*_agent.py"))
            return files[0].read_text(encoding="utf-8") if files else None
    raise UnknownConnector(f"No connector named {slug!r} is installed.")
