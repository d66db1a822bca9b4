"""Fetching a school's lists: each until it holds still, and again where two of them speak of different moments."""

from __future__ import annotations

import json

from mis_connectors.base import Sink
from mis_connectors.errors import ConnectorAuthError
from mis_connectors.scholarpack import client, wording

_Keys = set[tuple[str, ...]]


class People:
    """Writes `<list>/<reading>/<page>.json` for each list, and `about.json` last."""

    def __init__(self, asking: client.Client, sink: Sink) -> None:
        self._asking, self._sink = asking, sink
        self._numbers = dict.fromkeys(client.RESOURCES, 1)

    def collect(self) -> None:
        """Fetch everything; staff may be withheld. Raises as `Connector.collect`."""
        if _is_torn(*self._family()):
            # Somebody joined, or was merged, between one list and the next: contacts under ids that are gone
            # would look as if they had lost their children. What is torn still is so in ScholarPack itself.
            self._family()
        about = {"staff": self._staff()}
        self._sink.write("about.json", json.dumps(about, sort_keys=True).encode())

    def _family(self) -> tuple[_Keys, _Keys, _Keys]:
        return self._read(client.STUDENTS), self._read(client.CONTACTS), self._read(client.LINKS)

    def _staff(self) -> str:
        try:
            self._read(client.STAFF)
        except client.Refused:
            return "refused"
        return "read"

    def _read(self, resource: client.Resource) -> _Keys:
        try:
            keys, self._numbers[resource] = self._asking.read(resource, self._sink, number=self._numbers[resource])
        except client.Refused:
            if resource is client.STAFF:
                raise
            sentence = wording.MAY_NOT_READ.format(what=resource.what)
            raise ConnectorAuthError(sentence, detail=f"{resource.path}: 403") from None
        return keys


def _is_torn(students: _Keys, contacts: _Keys, links: _Keys) -> bool:
    return any((student,) not in students or (contact,) not in contacts for student, contact in links)
