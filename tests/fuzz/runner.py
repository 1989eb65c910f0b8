"""Runs a round on real servers."""

import contextlib
from collections import Counter

from tests.fuzz.checks import Check
from tests.fuzz.rounds import Round, Step, Sync
from tests.fuzz.servers import Servers
from tests.fuzz.side import Side


def run_round(round_: Round, servers: Servers, counts: Counter[str], done: list[Step]) -> None:
    """Run a round's steps, and check the databases after each sync.

    Args:
        round_: the round.
        servers: the servers.
        counts: gets the results of the syncs.
        done: gets the steps that did not fail.

    Raises:
        Finding: something does not hold.
    """
    with contextlib.ExitStack() as stack:
        source, target = sides = [
            stack.enter_context(Side.made(servers.get(kind), role))
            for kind, role in zip(round_.servers, ("postgres", round_.owner), strict=True)
        ]
        target.database.mark()
        for step in round_.steps:
            if isinstance(step, Sync):
                done.append(step)
                check = Check(round_, source, target, counts)
                if not check.run(is_tried_dry=step.is_tried_dry):
                    return
            elif sides[step.side].execute(step):
                done.append(step)
