"""What every connector's tests inherit; needs pytest, and is never imported where the hub runs."""

import pytest

pytest.register_assert_rewrite(
    "mis_connectors.testing.contract", "mis_connectors.testing.pull", "mis_connectors.testing.schools"
)
