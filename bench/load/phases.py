"""A phase of load: a warm-up, then a window in which everything is counted."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.load.measure import percentile
from bench.load.stage import Stage
from tagger.local.processes import Program

MARGIN = 1.0  # seconds of load after the window, so that all connections still exist when it ends


@dataclass(frozen=True)
class Phase:
    """`spent`: processor seconds within the window, by program. `responses`: what the client received, from
    the first request of the warm-up to the last."""

    begin: float
    end: float
    spent: dict[str, float]
    responses: dict[str, Any]

    @property
    def seconds(self) -> float:
        return self.end - self.begin

    def count(self, kind: str) -> int:
        return len(self.times(kind))

    def times(self, kind: str) -> list[float]:
        """Seconds of each request of a kind that ended within the window."""
        done = self.responses["requests"].get(kind, [])
        return [took for at, took in done if self.begin < at <= self.end]

    def latency(self, kind: str) -> dict[str, float]:
        """In milliseconds."""
        times = self.times(kind)
        return {f"p{share}": 1000 * percentile(times, share / 100) for share in (50, 95, 99)}


def timed(
    stage: Stage,
    module: str,
    plan: dict[str, Any],
    warm_up: float,
    seconds: float,
    while_waiting: Callable[[], None] = lambda: None,
) -> Phase:
    """Run `module` on the plan until the window is over."""
    begin = time.monotonic() + warm_up
    _start(stage, module, plan | {"until": begin + seconds + MARGIN})
    stage.wait_until(begin, while_waiting)
    begin, before = time.monotonic(), stage.processor()
    stage.wait_until(begin + seconds, while_waiting)
    end, after = time.monotonic(), stage.processor()
    spent = {name: after[name] - before.get(name, 0) for name in after}
    return Phase(begin, end, spent, _finish(stage))


def counted(stage: Stage, plan: dict[str, Any]) -> Phase:
    """Run a plan that ends after a number of rounds instead of a time."""
    begin = time.monotonic()
    _start(stage, "bench.load.drive", plan)
    return Phase(begin, float("inf"), {}, _finish(stage))


def _start(stage: Stage, module: str, plan: dict[str, Any]) -> None:
    path = stage.home.run / "plan.json"
    path.write_text(json.dumps(plan | {"output": str(stage.home.run / "responses.json")}))
    command = [sys.executable, "-m", module, str(path)]
    log = stage.home.log("client")
    stage.start(Program("client", command, log, stage.environment, restart=False))


def _finish(stage: Stage) -> dict[str, Any]:
    client = stage.supervisor.children["client"]
    stage.supervisor.wait_for(lambda: client.ended)
    del stage.supervisor.children["client"]
    if client.process.wait():
        raise RuntimeError(f"the client failed: {stage.home.log('client').read_text()[-2000:]}")
    responses: dict[str, Any] = json.loads((stage.home.run / "responses.json").read_text())
    return responses
