"""Which tests of a run in several processes stay together in one of them."""

from pathlib import PurePosixPath

from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # it ships no types

# All tests of these folders share what takes long to set up: the sandbox's account, and the stacks
# that are synthesized.
FOLDERS = {"tests/e2e", "tests/infra"}
# It has its own sandbox, so that it runs beside the others.
APART = "tests/e2e/test_guide_followed.py"


class FilesTogether(LoadScopeScheduling):  # type: ignore[misc]  # as above
    """Gives each file's tests to one process: they share servers and templates of databases.

    Of xdist's own ways, `loadfile` would do that, but part the folders. `loadgroup` would group
    tests by marks: xdist 3.8 writes these to an attribute that pytest 9.2 does not read.
    """

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def group_of(nodeid: str) -> str:
    """Return the name of a test's group: its folder or its file."""
    file = nodeid.split("::", maxsplit=1)[0]
    folder = str(PurePosixPath(file).parent)
    return folder if folder in FOLDERS and file != APART else file
