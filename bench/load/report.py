"""The figures as plain text."""

from typing import Any

TARGET = 0.75  # of the floor, per answer
OTHERS = (
    "rest of the database",
    "worker",
    "database for worker",
    "beat",
    "database for beat",
    "valkey",
    "client",
)


def tables(figures: dict[str, Any]) -> str:
    parts = (_head, _speed, _processor, _memory, _kept, _statements, _next_clip)
    return "\n\n".join("\n".join(part(figures)) for part in parts)


def is_sound(figures: dict[str, Any]) -> bool:
    """Whether nothing was lost, duplicated, refused or over-collected."""
    return not any(figures["kept"].values()) and not figures["refused"]


def ratio(figures: dict[str, Any]) -> float:
    """Processor time of web and its database for an answer, divided by that of the bare pair."""
    return _served(figures["processor_ms_per_answer"], "web") / _served(
        figures["bare"]["processor_ms_per_pair"], "bare"
    )


def _served(spent: dict[str, float], program: str) -> float:
    return spent[program] + spent.get(f"database for {program}", 0.0)


def _head(figures: dict[str, Any]) -> list[str]:
    machine, size = figures["machine"], figures["size"]
    return [
        f"{machine['cores']} cores, {machine['processor']}, {machine['memory_gb']} GB, "
        f"Linux {machine['kernel']}, Python {machine['python']}, "
        f"load at the start {machine['load_at_start']}",
        f"{size['tasks']:,} tasks made in {figures['fill_seconds']} s ({figures['database_gb']} GB); "
        f"{size['users']} volunteers who never pause for {size['seconds']:g} s, on the same machine",
    ]


def _speed(figures: dict[str, Any]) -> list[str]:
    line = "{:34}{:>10}{:>10}{:>10}".format
    rows = [
        f"{figures['answers_per_second']:.1f} answers per second ({figures['answers']} in the window)",
        line("milliseconds over HTTP", "p50", "p95", "p99"),
    ]
    for name, key in (("lend 10", "lend_ms"), ("hand in", "hand_in_ms")):
        rows.append(line(name, *(f"{each:.1f}" for each in figures[key].values())))
    rows.append(f"all was settled {figures['settled_after_s']:.1f} s after the last answer")
    return rows


def _processor(figures: dict[str, Any]) -> list[str]:
    line = "{:34}{:>14}{:>14}{:>14}".format
    ours = figures["processor_ms_per_answer"]
    bare = figures["bare"]["processor_ms_per_pair"]
    raw = figures["raw"]["processor_ms_per_answer"]
    rows = [line("processor ms", "an answer", "bare pair", "raw writes")]
    rows.append(line("web", f"{ours['web']:.3f}", f"{bare['bare']:.3f}", "-"))
    served = ("database for web", "database for bare", "database for floor")
    backends = [spent.get(name, 0.0) for spent, name in zip((ours, bare, raw), served, strict=True)]
    rows.append(line("its database", *(f"{each:.3f}" for each in backends)))
    sums = [_served(ours, "web"), _served(bare, "bare"), backends[2]]
    rows.append(line("web and its database", *(f"{each:.3f}" for each in sums)))
    for name in OTHERS:
        rows.append(line(name, *(f"{spent.get(name, 0):.3f}" for spent in (ours, bare, raw))))
    speeds = (
        figures["answers_per_second"],
        figures["bare"]["pairs_per_second"],
        figures["raw"]["answers_per_second"],
    )
    rows.append(line("per second", *(f"{each:.1f}" for each in speeds)))
    rows.append(f"connections made for an answer: {figures['connections_per_answer']:.2f}")
    rows.append(f"of the bare pair: {ratio(figures):.2f} (the target is at most {TARGET})")
    return rows


def _memory(figures: dict[str, Any]) -> list[str]:
    line = "{:34}{:>14}{:>14}".format
    rows = [line("memory, MB", "PSS", "RSS")]
    for name, each in figures["memory_mb"].items():
        rows.append(line(name, f"{each['pss']:.0f}", f"{each['rss']:.0f}"))
    return rows


def _kept(figures: dict[str, Any]) -> list[str]:
    rows = [f"{figures['acknowledged']} answers were acknowledged; every figure here must be 0"]
    rows += [f"{name:34}{number:>14}" for name, number in figures["kept"].items()]
    rows += [f"{name:34}{number:>14}" for name, number in figures["refused"].items()]
    return rows


def _statements(figures: dict[str, Any]) -> list[str]:
    found = figures["statements"]
    rows = [
        f"{found['per_answer']:.1f} statements an answer, counted by the server (one lend for ten answers)"
    ]
    rows.append(f"{'an answer':>10}{'ms':>9}")
    rows += [f"{each['times']:>10.2f}{each['ms']:>9.3f}  {each['statement']}" for each in found["each"]]
    return rows


def _next_clip(figures: dict[str, Any]) -> list[str]:
    line = "{:34}{:>14}{:>14}{:>14}".format
    found = figures["next_clip"]
    rows = [line("lending ten", "database ms", "buffers", "HTTP p50 ms")]
    for title, key, over in (
        ("to a newcomer", "newcomer", None),
        (f"newcomer, {found['answered']:,} answers later", "newcomer after", "newcomer over HTTP"),
        ("to the person who gave them", "veteran", "veteran over HTTP"),
    ):
        http = f"{found[over]['lend']['p50']:.1f}" if over else "-"
        rows.append(line(title, f"{found[key]['milliseconds']:.2f}", f"{found[key]['buffers']:.0f}", http))
    return rows
