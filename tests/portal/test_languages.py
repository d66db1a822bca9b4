"""Every text of the parents' pages can be translated; a language is offered when all of it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from django.conf import settings as django_settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from hub.accounts.models import Account
from hub.core import catalogues
from hub.core.models import School
from hub.people.models import ContactDetail
from tests.factories.changes import make_change
from tests.factories.parents import make_login
from tests.factories.people import give
from tests.portal import pseudo
from tests.portal.conftest import Parent, ask
from tests.portal.states import everything
from verification.reporting import settling

DATA = [
    "Schoolgate", "Larch Hill Primary", "Beck Road Academy", "Ngozi Okafor", "Ngozi", "Ngozi Okafor-Bell", "Okafor",
    "Millie", "Priya Shah", "Tom Marsh", "Mother", "6HB", "RW", "Oak", "It is old.", "Nell Frost", "Ada", "MO", "AO",
    "ngozi@example.org", "new@example.org", "other@example.org", "English", "Pseudo", "Import 12",
    "office@8233001.example.org",
]  # fmt: skip


def in_pseudo(client: Client) -> Client:
    client.cookies[django_settings.LANGUAGE_COOKIE_NAME] = pseudo.LANGUAGE
    return client


def assert_translated(client: Client, paths: Iterable[str], *more: str) -> None:
    found = {}
    for path in paths:
        answer = in_pseudo(client).get(path, follow=True)
        assert answer.status_code == 200, path
        assert f'<html lang="{pseudo.LANGUAGE}"' in answer.text, path
        if left := pseudo.untranslated(answer.text, [*DATA, *more]):
            found[path] = left
    assert found == {}


def test_no_text_of_the_portal_is_left_untranslated(ngozi_at_both: Parent, pseudo_language: None) -> None:
    assert_translated(ngozi_at_both.client, everything(ngozi_at_both).values())


def test_nor_of_its_rarer_states(
    ngozi: Parent, school: School, pseudo_language: None, signed_in: Callable[[Account], Client]
) -> None:
    home, details, approvals = (reverse(f"portal:{name}") for name in ("home", "details", "approvals"))
    pages = [home, details, approvals, reverse("portal:children")]
    assert_translated(ngozi.client, pages)
    ask(ngozi.contact)
    ask(ngozi.contact, "", "mobile", old_value="+447700900123", origin="import", made_by="Import 12")
    assert_translated(ngozi.client, pages)
    ContactDetail.objects.filter(contact=ngozi.contact, kind="email").update(verified_at=None, source="organisation")
    ContactDetail.objects.filter(contact=ngozi.contact, kind="mobile").delete()
    give(ngozi.contact, "mobile", "", "+447700900456")
    settling.settle_owner(owner=ngozi.contact, now=timezone.now())
    make_change(ngozi.contact, status="frozen", made_at=timezone.now())
    assert_translated(ngozi.client, pages)
    ContactDetail.objects.filter(contact=ngozi.contact, kind="email").update(deliverable=False)
    ngozi.contact.links.update(ended_on="2026-10-01")
    assert_translated(ngozi.client, pages)
    assert_translated(signed_in(make_login("nell@example.org", "Nell Frost")), [home])


def test_nor_of_what_an_action_answers(ngozi: Parent, pseudo_language: None) -> None:
    client = in_pseudo(ngozi.client)
    change = ask(ngozi.contact)
    answers = [
        client.post(reverse("portal:no", args=[change.pk]), {"why": "else"}),
        client.post(reverse("portal:no", args=[change.pk]), {}),
        client.post(reverse("portal:no", args=[change.pk]), {"why": "else", "more": "It is old."}, follow=True),
        client.post(reverse("portal:yes", args=[change.pk]), follow=True),
        client.post(reverse("portal:change", args=["mobile"]), {}),
        client.post(reverse("portal:change", args=["mobile"]), {"value": "07700 900555"}, follow=True),
        client.post(reverse("portal:change", args=["email"]), {"value": "ngozi@example.org"}, follow=True),
        client.post(reverse("portal:take_out", args=["mobile"]), follow=True),
        client.post(reverse("portal:take_out", args=["email"]), follow=True),
        client.post(reverse("portal:not_mine", args=[ngozi.pupil.pk]), follow=True),
    ]
    assert [left for one in answers if (left := pseudo.untranslated(one.text, DATA))] == []


def test_the_language_is_chosen_by_a_button_and_kept(ngozi: Parent, pseudo_language: None) -> None:
    home = reverse("portal:home")
    assert 'value="xx"' in ngozi.client.get(home).text
    answer = ngozi.client.post(reverse("portal:language"), {"language": "xx", "next": home})
    assert answer["Location"] == home
    assert '<html lang="xx"' in ngozi.client.get(home).text
    assert ngozi.client.post(reverse("portal:language"), {"language": "en-gb", "next": "//evil.example"})[
        "Location"
    ] in ("/", home)
    assert '<html lang="en-gb"' in ngozi.client.get(home).text


def test_with_one_language_there_is_nothing_to_choose(ngozi: Parent) -> None:
    assert "portal-language" not in ngozi.client.get(reverse("portal:home")).text


# The catalogues themselves


def test_messages_are_found_in_python_and_in_templates() -> None:
    python = b'from x import gettext as _\nsay(_("One"), ngettext("%(n)s two", "%(n)s twos", 2), N_("Three"))\n'
    found = [ids for _, ids, _, _ in catalogues.messages_of_python(python)]
    assert found == ["One", ("%(n)s two", "%(n)s twos"), "Three"]
    template = """{% load i18n %}<p title="{% translate 'Title' %}">{% translate "Now" as now %}
      {% blocktranslate trimmed count number=n with name=who %}
        {{ name }} has {{ number }} child
      {% plural %}{{ name }} has {{ number }} children{% endblocktranslate %}</p>{% if _("Here") %}it's{% endif %}"""
    said = [ids for _, ids, _, _ in catalogues.messages_of_template(template)]
    assert {"Now", "Title", "Here"} <= set(said)
    assert ("%(name)s has %(number)s child", "%(name)s has %(number)s children") in said


def test_a_language_is_complete_only_when_all_is_said_with_its_placeholders(tmp_path: Path) -> None:
    template = Catalog()
    template.add("Home")
    template.add("By {when}")
    template.add(("%(n)s thing", "%(n)s things"))
    catalogues.update(tmp_path, "cy", template)
    assert catalogues.standing(tmp_path, "cy", template).missing == 3
    path = catalogues.path_of(tmp_path, "cy")
    catalog = catalogues.read(path)
    catalog["Home"].string = "Hafan"
    catalog["By {when}"].string = "Erbyn"
    plural = catalog[("%(n)s thing", "%(n)s things")]
    plural.string = tuple("%(n)s peth" for _ in range(catalog.num_plurals))
    from babel.messages.pofile import write_po

    with path.open("wb") as file:
        write_po(file, catalog)
    found = catalogues.standing(tmp_path, "cy", template)
    assert (found.missing, found.wrong, found.is_complete) == (0, ("By {when}",), False)


def test_what_is_said_no_more_leaves_the_catalogue(tmp_path: Path) -> None:
    template = Catalog()
    template.add("Home")
    catalogues.update(tmp_path, "cy", template)
    catalogues.update(tmp_path, "cy", Catalog())
    assert "Home" not in catalogues.path_of(tmp_path, "cy").read_text(encoding="utf-8")


def test_the_command_begins_a_language_and_does_not_offer_it_half_done(settings: Any, tmp_path: Path) -> None:
    settings.LOCALE_PATHS = [tmp_path]
    call_command("catalogue", "extract", language="cy", verbosity=0)
    assert (tmp_path / "django.pot").exists()
    call_command("catalogue", "compile")
    assert not catalogues.path_of(tmp_path, "cy", ".mo").exists()
    with pytest.raises(CommandError, match="cy"):
        call_command("catalogue", "check")


def test_the_catalogues_there_are_are_complete() -> None:
    call_command("catalogue", "check")
