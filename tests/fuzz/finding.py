"""What the fuzz test looks for."""


class Finding(Exception):  # noqa: N818  # no error of ours: it is what was looked for
    """Something that must not be; `kind` stays alike while a round is made shorter."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
