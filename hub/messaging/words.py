"""The words of a notice: templates filled in, safe as headers, and short enough for a text message.

`templates/notices/<name>.email.txt`: the first line is the subject. `<name>.text.txt`: one text.
The tags of `i18n`, `frame` and `noticing` are there without loading. Nothing is escaped: it is text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.template import Context, Engine, Template, TemplateDoesNotExist, engines
from django.template.backends.django import DjangoTemplates

from hub.messaging import gsm

_LOADED = "{% load i18n frame noticing %}"


def email(template: str, context: Mapping[str, Any]) -> tuple[str, str]:
    """Return subject and body. A line break in a value cannot make a header: the subject is one line."""
    first, rest = _compiled(f"notices/{template}.email.txt", with_subject=True)
    return one_line(_filled(first, context)), _filled(rest, context).strip() + "\n"


def text(template: str, context: Mapping[str, Any]) -> str:
    """Return the one text message, in the characters that texts are cheapest in where that loses nothing."""
    (whole,) = _compiled(f"notices/{template}.text.txt", with_subject=False)
    return gsm.plain(_filled(whole, context).strip())


def one_line(words: str) -> str:
    return " ".join(words.split())


@lru_cache(maxsize=256)
def _compiled(path: str, *, with_subject: bool) -> tuple[Template, ...]:
    """Return a template, its first line by itself if that is a subject: so no value moves from one to the other."""
    source = _source(path)
    first, _, rest = source.partition("\n")
    return tuple(_engine().from_string(_LOADED + part) for part in ((first, rest) if with_subject else (source,)))


def _source(path: str) -> str:
    """Return a template as it is written."""
    for loader in _engine().template_loaders:
        for origin in loader.get_template_sources(path):
            try:
                return str(loader.get_contents(origin))  # type: ignore[attr-defined]
            except TemplateDoesNotExist:
                continue
    raise TemplateDoesNotExist(path)


def _engine() -> Engine:
    engine = engines["django"]
    assert isinstance(engine, DjangoTemplates)
    return engine.engine


def _filled(part: Template, context: Mapping[str, Any]) -> str:
    base = {"address": settings.PUBLIC_URL, "host": urlsplit(settings.PUBLIC_URL).hostname or ""}
    filled = part.render(Context(base | dict(context), autoescape=False))
    return re.sub(r"\n(?:[ \t]*\n){2,}", "\n\n", filled)  # where a part was left out
