"""Cases and the other tools, measured in turn on the same servers."""

from collections import defaultdict
from collections.abc import Sequence

from rich.console import Console

from tests.bench import data, peers
from tests.bench.cases import Case
from tests.bench.measure import Measurement, measure_sync
from tests.bench.report import Outcome
from tests.bench.servers import Servers


class InTurn:
    """Measures cases one after another, and the peers after each, as often as it is called."""

    def __init__(self, servers: Servers, cases: Sequence[Case], rules: str | None = None) -> None:
        """Prepare to measure `cases`; `rules`: the sync's, as JSON."""
        self.syncs: dict[Case, list[Measurement]] = defaultdict(list)
        self._copies: dict[Case, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        self._servers = servers
        self._cases = cases
        self._rules = rules
        self._peers = peers.available(servers)

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
                copies[name].append(peers.measure(self._servers, peer))
            others = ", ".join(f"{name} {taken[-1]:.1f} s" for name, taken in copies.items())
            log.print(f"{number} {case.name}: {self.syncs[case][-1].seconds:.1f} s; {others}")

    def _run(self, case: Case) -> Measurement:
        changed = case.prepare(self._servers)
        data.settle(self._servers)
        measured = measure_sync(self._servers, self._rules, case.watched)
        case.check(measured, changed)
        return measured
