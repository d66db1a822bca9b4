"""Health, for machines."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from hub.core import health


@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """Everything the hub stands on: 200, or 503 if anything is not well."""
    return _answer(health.look(timezone.now()))


@never_cache
@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """Only that this process answers: whether to start it again."""
    return _answer({})


def _answer(findings: dict[str, health.Finding]) -> JsonResponse:
    ok = all(finding.ok for finding in findings.values())
    checks = {name: {"ok": finding.ok, **finding.facts} for name, finding in findings.items()}
    return JsonResponse({"ok": ok, "checks": checks}, status=200 if ok else 503)
