"""The Chromium of this machine, if it has one."""

import shutil

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


def find_chromium() -> str | None:
    """Return the path of a Chromium; None if there is none on the PATH."""
    return next((found for each in PROGRAMS if (found := shutil.which(each))), None)
