"""What the fuzz test looks for."""


class Finding(Exception):  # noqa: N818  # not an error of the test: it looks for these
    """Something that must not happen; its `kind` stays the same while a round is shortened."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
