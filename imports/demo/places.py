"""The schools of the demo, as plain facts: no Django, so that their simulators can be begun before it is up."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DemoSchool:
    """One school of the demo. `domain` is the mail domain of its logins, `mis` the slug of its connector."""

    name: str
    dfe_number: str
    phase: str
    size: int
    seed: int
    domain: str
    head: str
    office: str
    mis: str = "sims"

    @property
    def administrator_email(self) -> str:
        return f"head@{self.domain}"

    @property
    def office_email(self) -> str:
        return f"office@{self.domain}"

    @property
    def teacher_email(self) -> str:
        return f"teacher@{self.domain}"


SCHOOLS = (
    DemoSchool(
        "Larch Hill Primary", "8233001", "primary", 210, 11, "larchhill.example.org", "Helen Ward", "Priya Shah"
    ),
    DemoSchool(
        "Beck Road Academy", "8234002", "secondary", 600, 23, "beckroad.example.org", "Marcus Bell", "Joan Pryce"
    ),
)
"""Those with SIMS: the demo's story happens there."""
CLOUD = (
    DemoSchool(
        "Quarry Bank Primary", "8233105", "primary", 120, 31, "quarrybank.example.org", "Ruth Hale", "Sanjay Rao",
        mis="integris",
    ),
    DemoSchool(
        "Elm Grove Infants", "8233106", "primary", 90, 37, "elmgrove.example.org", "Aoife Kelly", "Gareth Lloyd",
        mis="scholarpack",
    ),
    DemoSchool(
        "Millbridge High", "8234107", "secondary", 150, 41, "millbridge.example.org", "Daniel Osei", "Wendy Marsh",
        mis="progresso",
    ),
)  # fmt: skip
"""One with each MIS in the cloud."""
EVERY_SCHOOL = (*SCHOOLS, *CLOUD)
