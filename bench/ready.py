"""Imported by the process that `memory` forks: everything a worker has loaded before its first import."""

from __future__ import annotations

import django

django.setup()

from bench import hub_nights  # noqa: E402, F401  (loads what carries an import out)
from imports import tasks  # noqa: E402, F401
from mis_connectors import registry  # noqa: E402

registry.connectors()
