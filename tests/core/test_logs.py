"""No log holds the token of a link, nor whose email broke what."""

from __future__ import annotations

import logging

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils.module_loading import import_string

from hub.accounts import tokens
from hub.accounts.models import Account
from tests.accounts.test_every_address import ALL

LINKS = [place for _, place, _ in ALL if "<str:token>" in place]


@pytest.fixture
def parent(db: None) -> Account:
    return Account.objects.create_user("canary@example.org", name="Canary Ade", password="correct horse battery")


def written(records: list[logging.LogRecord]) -> str:
    """What the installation's own handler writes of these."""
    how = dict(settings.LOGGING["formatters"]["line"])
    formatter = import_string(how.pop("()"))(how["format"], style=how["style"])
    return "\n".join(formatter.format(record) for record in records)


@pytest.mark.parametrize("method", ["get", "head", "post", "put", "options"])
@pytest.mark.parametrize("place", LINKS)
def test_opening_a_link_in_any_way_leaves_no_token_in_the_log(
    db: None, caplog: pytest.LogCaptureFixture, place: str, method: str
) -> None:
    token, _ = tokens.make()
    path = "/" + place.replace("<str:token>", token)
    with caplog.at_level(logging.DEBUG):
        for client in (Client(), Client(enforce_csrf_checks=True)):
            for one in (path, path.rstrip("/"), path + "more/"):
                getattr(client, method)(one)
    text = written([one for one in caplog.records if one.name != "django.db.backends"])
    assert token not in text
    assert tokens.hashed(token) not in text


def test_an_error_on_the_way_leaves_none_either() -> None:
    token, _ = tokens.make()
    record = logging.LogRecord(
        "django.request", logging.ERROR, "", 0, "Internal Server Error: /join/%s/", (token,), None
    )
    assert "Internal Server Error: /join/…/" in written([record])


def test_an_address_that_names_a_batch_is_still_read() -> None:
    batch = "/home/details/proof/0b5c9a9e-5a0c-4a55-9c37-3d1f7b2b2a55/"
    record = logging.LogRecord("django.request", logging.WARNING, "", 0, "Not Found: %s", (batch,), None)
    assert batch in written([record])


def failed(statement: str, *values: str) -> logging.LogRecord:
    """What is logged where a statement fails, as one of several that did."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, values)
    except DatabaseError as error:
        group = ExceptionGroup("1 failed, the others are done", [error])
        said = ("Task failed: %r", (group,))  # as Celery says it, all in one line
        return logging.LogRecord("celery", logging.ERROR, "", 0, *said, (type(group), group, None))
    raise AssertionError("It did not fail.")


def test_an_error_of_the_database_is_logged_without_the_row_it_is_about(parent: Account) -> None:
    twice = failed("INSERT INTO accounts_account SELECT * FROM accounts_account")
    email = failed("UPDATE accounts_account SET email = upper(email)")
    number = failed("SELECT %s::date", "13/01/canary@example.org")
    for record, said in ((twice, "duplicate key value"), (email, "violates check"), (number, "invalid input syntax")):
        text = written([record])
        assert said in text
        assert "canary" not in text.lower()
        assert "pbkdf2" not in text
