"""Queries that every page asks: their SQL is built once per process, and only the values change.

Building the SQL of a small read costs Django more than sending it, answering it and making objects of
the rows together. Nothing that was read is kept here, only the words of the question.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from types import SimpleNamespace
from typing import Any, Generic, TypeVar, cast

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import BooleanField, Expression, F, Func, Model, QuerySet
from django.db.models.query import ModelIterable
from django.db.models.sql.compiler import SQLCompiler

Row = TypeVar("Row", bound=Model)


class Given(Expression):
    """A value that is named when the query is asked: `filter(account=Given("account"))`."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Return a placeholder, with itself where the value will stand."""
        return "%s", (self,)


class AmongGiven(Func):
    """Whether a column is one of the ids named when the query is asked: `filter(AmongGiven("contact_id", "ids"))`."""

    template = "%(expressions)s::bigint[])"
    arg_joiner = " = ANY("
    output_field = BooleanField()

    def __init__(self, column: str, name: str) -> None:
        super().__init__(F(column), Given(name))


class Prepared(Generic[Row]):
    """A query of whole rows, written by `write` when it is first asked.

    What differs from one asking to the next must be a `Given`: everything else is written down for good.
    """

    def __init__(self, write: Callable[[], QuerySet[Row]]) -> None:
        self._write = write
        self._written: tuple[SQLCompiler, str, Sequence[Any]] | None = None

    def __call__(self, **values: Any) -> list[Row]:
        """Return the rows; raises `KeyError` where a value is not given."""
        compiler, sql, parameters = self._written or self._prepare()
        bound = tuple(values[one.name] if isinstance(one, Given) else one for one in parameters)
        # Each asking has a compiler of its own, for a connection belongs to its thread.
        asking: Any = copy(compiler)
        asking.connection = connections[DEFAULT_DB_ALIAS]
        asking.as_sql = lambda *args, **options: (sql, bound)
        query = SimpleNamespace(get_compiler=lambda using: asking)
        asked = SimpleNamespace(db=DEFAULT_DB_ALIAS, query=query, _known_related_objects={})
        return list(ModelIterable(cast("QuerySet[Row]", asked)))

    def _prepare(self) -> tuple[SQLCompiler, str, Sequence[Any]]:
        rows: Any = self._write()
        if rows._iterable_class is not ModelIterable or rows._prefetch_related_lookups:
            raise TypeError("A prepared query returns whole rows, and fetches nothing beside them.")
        compiler = rows.query.get_compiler(using=DEFAULT_DB_ALIAS)
        sql, parameters = compiler.as_sql()
        self._written = compiler, sql, parameters
        return self._written
