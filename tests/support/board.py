"""What keepers, parts and FinishSync tell each other, in memory; see `db_sync.parts.board`."""

from db_sync.parts.board import End, Kept, sort_kept


class MemoryBoard:
    """A board that threads of one process share."""

    def __init__(self) -> None:
        self._kept: dict[str, Kept] = {}
        self._end: End | None = None
        self.written: list[tuple[str, Kept]] = []

    def kept(self) -> list[Kept]:
        return sort_kept(list(self._kept.values()))

    def keep(self, keeper: str, kept: Kept) -> None:
        self._kept[keeper] = kept
        self.written.append((keeper, kept))

    def end(self) -> End | None:
        return self._end

    def write_end(self, end: End) -> None:
        self._end = end
