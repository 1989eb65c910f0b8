"""Cases and the other tools, measured in turn on the same servers."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from rich.console import Console

from tests.bench import data
from tests.bench.cases import Case
from tests.bench.measure import Measurement, Watched
from tests.bench.peers import Peer
from tests.bench.peers import measure as measure_peer
from tests.bench.report import Outcome
from tests.bench.servers import Servers

type Sync = Callable[[Servers, Watched], Measurement]


class InTurn:
    """Measures cases one after another, and the peers after each, as often as it is called."""

    def __init__(
        self, servers: Servers, cases: Sequence[Case], sync: Sync, peers: Mapping[str, Peer]
    ) -> None:
        """Prepare to measure `cases` with `sync`, and each of `peers`."""
        self.syncs: dict[Case, list[Measurement]] = defaultdict(list)
        self._copies: dict[Case, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        self._servers = servers
        self._cases = cases
        self._sync = sync
        self._peers = peers

    @property
    def outcomes(self) -> list[Outcome]:
        """What was measured so far, by case."""
        return [Outcome(case, self.syncs[case], self._copies[case]) for case in self._cases]

    def measure(self, number: str, log: Console) -> None:
        """Measure each case once; `number` says in the log which time it is."""
        for case in self._cases:
            self.syncs[case].append(self._run(case))
            copies = self._copies[case]
            for name, peer in self._peers.items():
                data.settle(self._servers)
                copies[name].append(measure_peer(self._servers, peer))
            others = "".join(f"; {name} {taken[-1]:.1f} s" for name, taken in copies.items())
            seconds = self.syncs[case][-1].seconds
            log.print(f"{number} {case.name}: {seconds:.1f} s{others}", soft_wrap=True)

    def _run(self, case: Case) -> Measurement:
        changed = case.prepare(self._servers)
        data.settle(self._servers)
        measured = self._sync(self._servers, case.watched)
        case.check(measured, changed)
        return measured
