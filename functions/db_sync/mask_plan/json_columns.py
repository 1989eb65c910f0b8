"""What is in a JSON column: its paths, and the masks for those that look personal."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from common.json_paths import EACH, EVERY_KEY
from db_sync.mask.kinds import IN_JSON, MaskRule
from db_sync.mask.personal import kind_by_name
from db_sync.mask_plan.contents import find_look

# A key is shown if so many of the documents have it: rarer ones may be data, as names are.
LEAST_DOCUMENTS, LEAST_SHARE = 2, 20
OTHERWISE = "null"  # for a kind that JSON has no mask of, as of a date
OF_ADDRESS = "text"  # the kind of a key like address: what is below it is personal too

type Steps = tuple[str, ...]  # ".key", "[*]" or ".*"


@dataclass(frozen=True, slots=True)
class JsonPath:
    """A row of list_json_paths.sql."""

    steps: Sequence[str]
    documents: int
    all_documents: int
    filled: int
    matching: Sequence[int]
    personal_keys: bool


@dataclass(frozen=True, slots=True)
class JsonColumn:
    """The masks of a JSON column's paths that look personal, and its other paths.

    `is_hopeless`: whether it must be masked as a whole, since its keys look personal, or a value
    that is not in an object or array.
    """

    masks: dict[str, str]
    others: tuple[str, ...]
    is_hopeless: bool

    @classmethod
    def of_paths(cls, paths: Sequence[JsonPath]) -> Self:
        """Return the column with these paths."""
        shown = _shown_keys(paths)
        masks: dict[Steps, str] = {}
        others: dict[Steps, None] = {}
        is_hopeless = any(path.personal_keys for path in paths)
        for path in paths:
            steps = tuple(_steps(path, shown))
            kind = _kind(steps, path)
            if kind and not steps:
                is_hopeless = True
            elif kind:
                masks.setdefault(steps, kind)
            else:
                others[steps] = None
        return cls(
            {_text(steps): kind for steps, kind in masks.items() if not _is_below(steps, masks)},
            tuple(
                _text(steps)
                for steps in others
                if steps not in masks and not _is_below(steps, masks)
            ),
            is_hopeless,
        )

    @property
    def rule(self) -> MaskRule | None:
        """The rule that masks what looks personal; None if there is none."""
        if self.is_hopeless or not self.masks:
            return None
        return MaskRule("json", {"paths": self.masks})


def matching_paths(paths: Sequence[JsonPath]) -> list[str]:
    """Return the paths that lead to values which match the first pattern, in their order.

    Without that to a document which is such a value itself: no rule can name it.
    """
    shown = _shown_keys(paths)
    found = [tuple(_steps(path, shown)) for path in paths if path.matching[0]]
    return [_text(steps) for steps in dict.fromkeys(found) if steps]


def _shown_keys(paths: Sequence[JsonPath]) -> set[Steps]:
    """Return the paths to the keys that are field names: frequent, or known as a personal one's."""
    documents: dict[Steps, int] = {}
    for path in paths:
        for length in range(1, len(path.steps) + 1):
            start = tuple(path.steps[:length])
            documents[start] = max(documents.get(start, 0), path.documents)
    least = max(LEAST_DOCUMENTS, paths[0].all_documents // LEAST_SHARE)
    return {
        steps for steps, count in documents.items() if count >= least or kind_by_name(steps[-1][1:])
    }


def _steps(path: JsonPath, shown: set[Steps]) -> Iterator[str]:
    for number, step in enumerate(path.steps):
        is_shown = step == EACH or tuple(path.steps[: number + 1]) in shown
        yield step if is_shown else EVERY_KEY


def _kind(steps: Steps, path: JsonPath) -> str | None:
    """Return the kind of mask for what is at a path, by its last key and its values."""
    if not path.filled:  # true or false
        return None
    if found := find_look(path.filled, path.matching):
        return found.kind
    kinds = [kind_by_name(step[1:]) for step in steps if step not in {EACH, EVERY_KEY}]
    if kinds and kinds[-1]:
        return kinds[-1] if kinds[-1] in IN_JSON else OTHERWISE
    return OF_ADDRESS if OF_ADDRESS in kinds else None


def _is_below(steps: Steps, masks: Mapping[Steps, str]) -> bool:
    """Return whether the path leads through a masked one, which is masked as a whole."""
    return any(steps[:length] in masks for length in range(1, len(steps)))


def _text(steps: Steps) -> str:
    return "$" + "".join(steps)
