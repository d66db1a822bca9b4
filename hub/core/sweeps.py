"""Doing the same for many, school by school: one that fails keeps none of the others from being done."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from django.db.models import Model

from hub.core import scope
from hub.core.models import School

Item = TypeVar("Item")


def each(found: Iterable[Item], deed: Callable[[Item], int | None]) -> int:
    """Do the deed for each, and return the sum of its answers. It has to be whole by itself, or not done at all.

    Raises `ExceptionGroup` with what failed, after the last: nothing is passed over in silence. Each
    failure says of which it was: by its number, as a name would be somebody's in a log.
    """
    done, failed = 0, []
    for one in found:
        try:
            done += deed(one) or 0
        except Exception as trouble:  # noqa: BLE001 – whatever it is, the others are done first
            if named := _named(one):
                trouble.add_note(f"This was {named}.")
            failed.append(trouble)
    if failed:
        raise ExceptionGroup(f"{len(failed)} failed, the others are done", failed)
    return done


def _named(one: object) -> str:
    """Return `school 5`, `12`, `(5, 12)`; blank for what has no number, as a step has none."""
    if isinstance(one, Model):
        return f"{one._meta.model_name} {one.pk}"
    numbers = one if isinstance(one, tuple) else (one,)
    return str(one) if all(isinstance(number, int) for number in numbers) else ""


def each_school(schools: Iterable[School], deed: Callable[[School], int | None]) -> int:
    """The same for schools, each in its own scope."""

    def within(school: School) -> int | None:
        with scope.schools(school.pk):
            return deed(school)

    return each(schools, within)
