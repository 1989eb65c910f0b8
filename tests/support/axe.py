"""axe-core, which finds what keeps people from using a page; npm fetches it once into build/."""

import os
import subprocess
import sys
from pathlib import Path

PACKAGE = "axe-core@4.11.0"
FOLDER = Path(__file__).parents[2] / "build" / PACKAGE
SOURCE = FOLDER / "node_modules" / "axe-core" / "axe.min.js"
LONGEST = 60  # seconds


def axe_source() -> str | None:
    """Return axe-core's script; None if npm cannot fetch it."""
    if not SOURCE.exists():
        programs = Path(sys.executable).parent  # the wheel's npm
        command = ["npm", "install", "--no-save", "--no-audit", "--no-fund", "--prefix"]
        path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        try:
            subprocess.run(  # noqa: S603 # a constant
                [*command, str(FOLDER), PACKAGE],
                env={**os.environ, "PATH": path},
                capture_output=True,
                timeout=LONGEST,
                check=True,
            )
        except (OSError, subprocess.SubprocessError):
            return None
    return SOURCE.read_text("utf-8")
