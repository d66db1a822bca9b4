"""Letters for generated text."""

from __future__ import annotations

from hypothesis import strategies as st

LETTERS = st.characters(exclude_categories=["Cs"])
"""All that UTF-8 holds, as is the rule where nothing is said; but then every code point is tried first, for seconds."""
