"""For all unit tests: hypothesis's settings, and no AWS except the mocked one."""

import pytest
from hypothesis import settings

# A busy machine may be slow for a moment, which is not a failure.
settings.register_profile("staging-sync", deadline=None)
settings.load_profile("staging-sync")


@pytest.fixture(autouse=True)
def _no_other_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell that uses the sandbox has variables for an endpoint that is not mocked."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
