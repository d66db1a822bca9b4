"""Somebody who registers: the browser they use, and the steps they take."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.test import Client

from hub.people.models import Contact, PupilContact

GOOD = "walnut harbour seventeen"


@dataclass
class Person:
    """Somebody with a browser who reads what is sent to them."""

    sent: list[tuple[str, str, dict[str, Any]]]
    client: Client = field(default_factory=Client)

    def link(self, address: str) -> str:
        found = [
            said["link"] for to, template, said in self.sent if to == address and template.startswith("invitation")
        ]
        return str(found[-1]).removeprefix("http://").partition("/")[2]

    def open(self, address: str) -> Any:
        return self.client.get("/" + self.link(address), follow=True)

    def code(self, address: str) -> str:
        return [str(said["code"]) for to, template, said in self.sent if to == address and template == "code"][-1]

    def post(self, path: str, **said: Any) -> Any:
        return self.client.post(path, said)

    def begin(self) -> None:
        assert self.post("/join/")["Location"] == "/join/who/"
        assert self.post("/join/who/").status_code == 302

    def prove(self, kind: str, address: str, choice: str = "known0", **said: Any) -> Any:
        answer = self.post(f"/join/{kind}/", choice=choice, **said)
        if answer["Location"] == f"/join/{kind}/code/":
            answer = self.post(f"/join/{kind}/code/", code=self.code(address))
        return answer


def mine(*links: PupilContact, no: tuple[PupilContact, ...] = ()) -> dict[str, str]:
    return {f"child_{one.pk}": "yes" for one in links} | {f"child_{one.pk}": "no" for one in no}


def children_of(contact: Contact) -> dict[str, str]:
    return mine(*PupilContact.objects.filter(contact=contact))


def register(person: Person, contact: Contact) -> Any:
    """All the way with the details the school has."""
    email, mobile = (contact.details.filter(kind=kind).first() for kind in ("email", "mobile"))
    person.begin()
    person.prove("email", email.value) if email else person.post("/join/email/", choice="none")
    person.prove("mobile", mobile.value) if mobile else person.post("/join/mobile/", choice="none")
    person.post("/join/children/", **children_of(contact))
    return person.post("/join/finish/", password=GOOD)
