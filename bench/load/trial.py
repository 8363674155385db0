"""The whole load test, in order: fill, load, check, count statements, explain lending, floors."""

import json
import time
from dataclasses import asdict, dataclass
from typing import Any

from bench.load import checks, measure, phases, stage, statements
from bench.load.phases import Phase
from bench.load.stage import Stage, say

SLUG = "load"
MOST_WARM_UP = 5.0
ROUNDS = 10  # of ten answers, for counting statements, the newcomer and the veteran
SECONDS_TO_SETTLE = 60
RAW_WARM_UP = 0.2  # raw writes finish ten thousand tasks in seconds


@dataclass(frozen=True)
class Size:
    tasks: int
    users: int
    seconds: float
    answered: int

    @property
    def warm_up(self) -> float:
        return min(MOST_WARM_UP, self.seconds)


def run(size: Size) -> dict[str, Any]:
    """All figures, as JSON can hold them."""
    figures: dict[str, Any] = {"machine": measure.machine(), "size": asdict(size)}
    say(f"Starting servers and making {size.tasks} tasks …")
    with stage.site(lambda made: _fill(made, size, figures)) as site:
        people = json.loads((site.home.run / "people.json").read_text())
        figures["database_gb"] = round(site.one("SELECT pg_database_size(current_database())") / 1e9, 2)
        say(f"{size.users} volunteers for {size.warm_up + size.seconds:.0f} s …")
        figures |= _load(site, size, people["volunteers"])
        say("Statements …")
        figures["statements"] = _statements(site, people["volunteers"][:1])
        say(f"Lending to a person who answered {size.answered} tasks …")
        figures["next_clip"] = _next_clip(site, size, people)
        say("Floors …")
        figures |= _floors(site, size, people)
    return figures


def _fill(made: Stage, size: Size, figures: dict[str, Any]) -> None:
    begin = time.monotonic()
    people = str(made.home.run / "people.json")
    made.manage("load_fill", people, "--tasks", str(size.tasks), "--users", str(size.users))
    figures["fill_seconds"] = round(time.monotonic() - begin, 1)


def _load(site: Stage, size: Size, people: list[dict[str, Any]]) -> dict[str, Any]:
    watch = checks.Watch(site)
    commits, sessions = site.one(COMMITS), site.one(SESSIONS)
    phase = phases.timed(site, DRIVE, _tagging(site, people), size.warm_up, size.seconds, watch.look)
    memory = site.memory()
    settled_in = _wait_until_settled(site)
    answers, acknowledged = phase.count("hand in"), max(1, len(phase.responses["answers"]))
    kept = checks.kept(site, phase.responses["answers"])
    return {
        "answers": answers,
        "answers_per_second": answers / phase.seconds,
        "lend_ms": phase.latency("lend"),
        "hand_in_ms": phase.latency("hand in"),
        "processor_ms_per_answer": _per(phase, answers),
        "memory_mb": {name: {"rss": each.rss / 1e6, "pss": each.pss / 1e6} for name, each in memory.items()},
        "transactions_per_answer": (site.one(COMMITS) - commits) / acknowledged,
        "connections_per_answer": (site.one(SESSIONS) - sessions) / acknowledged,
        "settled_after_s": settled_in,
        "refused": phase.responses["refused"],
        "ran_dry": phase.responses["ran_dry"],
        "acknowledged": len(phase.responses["answers"]),
        "kept": kept | {"over-lent at a time": watch.over_lent},
    }


DRIVE = "bench.load.drive"
COMMITS = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
SESSIONS = COMMITS.replace("xact_commit", "sessions")


def _tagging(site: Stage, people: list[dict[str, Any]]) -> dict[str, Any]:
    return {"kind": "tag", "port": site.port, "people": people, "slug": SLUG}


def _per(phase: Phase, number: int) -> dict[str, float]:
    """Processor milliseconds for each of `number`."""
    return {name: 1000 * seconds / max(1, number) for name, seconds in phase.spent.items()}


def _wait_until_settled(site: Stage) -> float:
    """How long the worker needs to catch up after the last answer; nan if it does not within the limit."""
    begin = time.monotonic()
    dirty = "SELECT count(*) FROM (SELECT 1 FROM datasets_task WHERE dirty_since IS NOT NULL LIMIT 1) t"
    try:
        site.supervisor.wait_for(lambda: site.one(dirty) == 0, SECONDS_TO_SETTLE)
    except TimeoutError:
        return float("nan")
    return time.monotonic() - begin


def _statements(site: Stage, people: list[dict[str, Any]]) -> dict[str, Any]:
    since = statements.start(site)
    phase = phases.counted(site, _tagging(site, people) | {"rounds": ROUNDS})
    found = statements.stop(site, since)
    answers = max(1, phase.count("hand in"))
    ordered = sorted(found.items(), key=lambda item: -item[1].milliseconds)
    return {
        "per_answer": sum(cost.times for cost in found.values()) / answers,
        "each": [
            {"statement": text, "times": cost.times / answers, "ms": cost.milliseconds / answers}
            for text, cost in ordered
        ],
    }


def _next_clip(site: Stage, size: Size, people: dict[str, Any]) -> dict[str, Any]:
    paths = [str(site.home.run / name) for name in ("people.json", "explained.json")]
    site.manage("load_explain", *paths, "--answered", str(size.answered))
    explained: dict[str, Any] = json.loads((site.home.run / "explained.json").read_text())
    for who in ("newcomer", "veteran"):
        phase = phases.counted(site, _tagging(site, people[who]) | {"rounds": ROUNDS})
        explained[f"{who} over HTTP"] = {"lend": phase.latency("lend"), "hand in": phase.latency("hand in")}
    return explained


def _floors(site: Stage, size: Size, people: dict[str, Any]) -> dict[str, Any]:
    seconds, warm_up = size.seconds / 3, size.warm_up / 3
    with stage.bare(site) as port:
        plan = {"kind": "bare", "port": port, "people": people["bare"], "tasks": size.tasks}
        bare = phases.timed(site, DRIVE, plan, warm_up, seconds)
    raw_plan = {
        "database": site.environment["DATABASE_URL"],
        "campaign": site.one("SELECT id FROM datasets_campaign WHERE slug = %s", SLUG),
        "people": [each["pk"] for each in people["raw"]],
    }
    raw = phases.timed(site, "bench.load.floor", raw_plan, RAW_WARM_UP, seconds)
    return {
        "bare": {
            "pairs_per_second": bare.count("insert") / bare.seconds,
            "processor_ms_per_pair": _per(bare, bare.count("insert")),
            "refused": bare.responses["refused"],
        },
        "raw": {
            "answers_per_second": raw.count("answer") / raw.seconds,
            "processor_ms_per_answer": _per(raw, raw.count("answer")),
        },
    }
