"""What all unit tests share: settings of hypothesis, and no AWS but the mocked one."""

import pytest
from hypothesis import settings

# A busy machine is slow for a moment: that is no failure.
settings.register_profile("staging-sync", deadline=None)
settings.load_profile("staging-sync")


@pytest.fixture(autouse=True)
def _no_other_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell in which the sandbox is being used names an endpoint that is not mocked."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
