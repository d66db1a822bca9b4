"""The words of our own sentences: of an error text that leaves the hub, they are all that is quoted.

A name that the hub has never heard – of somebody who was rejected, or whom an MIS repeats in an answer – is not among
them, whatever text it stands in; one that is also a word of ours, written the same, is all that may remain.
"""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from django.conf import settings

from mis_connectors import registry

LEFT_OUT = "[…]"
_TOKEN = re.compile(r"\w+(?:['’]\w+)*")
_CAUSE = re.compile(r"[A-Z]\w*(?:Error|Exception|Timeout|Refused|Disconnected)", re.ASCII)
"""What Python calls a cause."""
_NUMBER = re.compile(r"\d{1,4}", re.ASCII)
_AGAIN = re.compile(r"\[…\](?:[ ,.'’:/\\()-]*\[…\])+")
_NOT_OURS = frozenset({"simulators", "testing", "demo", "management", "migrations"})
"""Folders whose texts hold invented people, or are never said."""
_PLAIN = frozenset({"GET", "POST", "http", "https", "DEBUG", "INFO", "WARNING", "ERROR", "name", "email", "number"})
_PLAIN_TOO = frozenset({"date", "postcode", "address", "UPN"})


def quoted(text: str, more: str = "") -> str:
    """Return of a text the words that are our own or stand in `more`, and its small numbers; the rest is left out."""
    known = words() | frozenset(_TOKEN.findall(more))

    def keep(found: re.Match[str]) -> str:
        word = found[0]
        return word if word in known or _NUMBER.fullmatch(word) or _is_cause(word) else LEFT_OUT

    return _AGAIN.sub(LEFT_OUT, _TOKEN.sub(keep, text))


def _is_cause(word: str) -> bool:
    return bool(_CAUSE.fullmatch(word)) and word in _causes()


@cache
def words() -> frozenset[str]:
    """Return every word of our own sentences, as it is written there; read once from the source of what is installed.

    Where the source is not there, nothing is ours.
    """
    said = (text for path in _sources() for text in _texts(path))
    names = [info.mis_name for info in registry.infos()]
    return _PLAIN | _PLAIN_TOO | frozenset(word for text in (*said, *names) for word in _TOKEN.findall(text))


@cache
def _causes() -> frozenset[str]:
    """Return the names of the errors that Python and what we import have by now."""
    found, todo = {BaseException}, [BaseException]
    while todo:
        more = [one for one in todo.pop().__subclasses__() if one not in found]
        found.update(more)
        todo += more
    return frozenset(one.__name__ for one in found)


def _sources() -> Iterator[Path]:
    here = Path(settings.BASE_DIR)
    roots = {here / "imports", here / "mis_connectors"}
    for made in registry.connectors().values():
        found = importlib.util.find_spec(type(made).__module__)
        if found is not None and found.origin:
            roots.add(Path(found.origin).parent)
    for root in roots:
        yield from (path for path in root.rglob("*.py") if _NOT_OURS.isdisjoint(path.relative_to(root).parts))


def _texts(path: Path) -> Iterator[str]:
    """Yield the texts of a file that are more than a word; what explains the code is none."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    notes = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and " " in node.value
            and id(node) not in notes
        ):
            yield node.value
