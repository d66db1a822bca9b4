"""The web server's entry point: `gunicorn hub.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")
application = get_wsgi_application()

import hub.celery  # noqa: E402, F401  (tasks sent from a request need the broker's address)
