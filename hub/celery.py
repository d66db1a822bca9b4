"""The Celery application: queues and the beat's timetable, nothing else.

What is due lives in PostgreSQL; the beat only ticks, and the broker may be lost at any time.
"""

from __future__ import annotations

import os

from celery import Celery
from celery.schedules import schedule
from django.conf import settings
from kombu import Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")

IMPORTS = "imports"
"""CPU and database work; prefork workers."""
IO = "io"
"""Waiting for a mail server or a text gateway; a thread pool, so that a hung one holds a thread only."""
MIS = "mis"
"""Waiting for an MIS: threads of its own, so that fifty that hang keep no parent's code waiting."""
QUEUES = (IMPORTS, IO, MIS)

app = Celery("schoolgate")
app.conf.update(
    broker_url=settings.REDIS_URL,
    task_ignore_result=True,
    task_default_queue=IMPORTS,
    task_queues=[Queue(name) for name in QUEUES],
    task_routes={
        "hub.messaging.tasks.*": {"queue": IO},
        "verification.tasks.answer_recovery": {"queue": IO},
        "imports.tasks.collect_import": {"queue": MIS},
        "imports.tasks.start_wanted": {"queue": IO},
    },
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    task_serializer="json",
    accept_content=["json"],
    broker_connection_retry_on_startup=True,
    broker_transport_options={"visibility_timeout": 3600},
    worker_hijack_root_logger=False,
    timezone="UTC",
    beat_schedule={
        "tick": {
            "task": "imports.tasks.tick",
            "schedule": schedule(30.0),
            "options": {"queue": IMPORTS, "expires": 30},
        },
        "notices": {
            "task": "hub.messaging.tasks.sweep_notices",
            "schedule": schedule(15.0),
            "options": {"queue": IO, "expires": 15},
        },
        "logins": {
            "task": "hub.accounts.tasks.sweep_logins",
            "schedule": schedule(3600.0),
            "options": {"queue": IMPORTS, "expires": 3600},
        },
        "confirming": {
            "task": "verification.tasks.sweep",
            "schedule": schedule(60.0),
            "options": {"queue": IMPORTS, "expires": 60},
        },
        "leavers": {
            "task": "verification.tasks.sweep_leavers",
            "schedule": schedule(600.0),
            "options": {"queue": IMPORTS, "expires": 600},
        },
    },
    beat_schedule_filename=str(settings.BASE_DIR / "var" / "beat-schedule"),
)
app.autodiscover_tasks(["imports", "verification", "hub.messaging", "hub.accounts"])
