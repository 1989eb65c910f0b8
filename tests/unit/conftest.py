"""Settings of hypothesis for all unit tests."""

from hypothesis import settings

# A busy machine is slow for a moment: that is no failure.
settings.register_profile("staging-sync", deadline=None)
settings.load_profile("staging-sync")
