"""botocore's models of the AWS services, read once and not for every client."""

import functools
import os
from pathlib import Path

import boto3
from botocore.loaders import Loader


class _SharedLoader(Loader):
    """The one loader of every botocore session in a process."""

    @property
    def search_paths(self) -> list[str]:
        """A copy, since each of boto3's sessions appends boto3's own folder."""
        return list(super().search_paths)


@functools.cache
def shared_loader(search_path: str | None = None) -> Loader:
    """Replace `botocore.loaders.create_loader`; moto's mock begins a new session for each test.

    What a loader keeps depends on installed files alone, and on nothing that a test does.
    """
    folders = search_path.split(os.pathsep) if search_path else []
    return _SharedLoader(extra_search_paths=[*folders, str(Path(boto3.__file__).parent / "data")])
