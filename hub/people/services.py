"""Everything that may be done to people, in one place; each theme has its own module."""

from hub.people.connecting import connect, staff_left
from hub.people.delivering import mark_deliverable, mark_undeliverable
from hub.people.editing import add_by_hand, edit_detail, remove_by_hand
from hub.people.excluding import exclude_from_imports, include_again
from hub.people.grouping import refresh_groups, set_group_access

__all__ = [
    "add_by_hand",
    "connect",
    "edit_detail",
    "exclude_from_imports",
    "include_again",
    "mark_deliverable",
    "mark_undeliverable",
    "refresh_groups",
    "remove_by_hand",
    "set_group_access",
    "staff_left",
]
