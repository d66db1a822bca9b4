"""The portal asks the database the same number of questions, however many children, schools and changes."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.conftest import make_school
from tests.factories.parents import make_parent
from tests.portal.conftest import Parent, add_children, ask


def count(parent: Parent, name: str) -> int:
    parent.client.get(reverse(f"portal:{name}"))
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert parent.client.get(reverse(f"portal:{name}")).status_code == 200
    return sum(not one["sql"].startswith(("SELECT set_config", "SAVEPOINT", "RELEASE")) for one in asked)


@pytest.mark.parametrize("name", ["home", "children", "details", "approvals"])
def test_queries_do_not_grow(ngozi: Parent, name: str) -> None:
    """With 1, 3 and 12 children, one school and four, and questions at each."""
    ask(ngozi.contact)
    found = [count(ngozi, name)]
    add_children(ngozi.contact, 2)
    found.append(count(ngozi, name))
    for at in range(3):
        made = make_parent(make_school(f"School {at}", f"823400{at}"), ngozi.account)
        assert made.contact is not None
        add_children(made.contact, 2)
        ask(made.contact, f"new{at}@example.org")
    found.append(count(ngozi, name))
    assert len(set(found)) == 1, found
    assert found[0] <= 8
