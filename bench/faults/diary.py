"""What clients requested and were told, with times: all that the checker knows of the run.

A clip is identified by its number of samples, which is different for each clip. A client knows it from the
`duration` of an assignment, without reading the database. Times are seconds of the monotonic clock.
"""

from dataclasses import dataclass, field

RATE = 16_000


def clip_of(seconds: float) -> int:
    """
    >>> clip_of(0.5000625)
    8001
    """
    return round(seconds * RATE)


@dataclass(frozen=True)
class Answered:
    """The site replied 201 or 200: it has stored this answer."""

    annotator: int
    clip: int
    answer: str
    annotation: int
    replied_at: float


@dataclass(frozen=True)
class Failed:
    """A call about a clip that failed: 404, 410, or a 5xx."""

    call: str
    annotator: int
    clip: int  # 0: none
    status: int
    asked_at: float
    replied_at: float


@dataclass(frozen=True)
class Heard:
    """A request for a clip's sound, and the status of the response."""

    clip: int
    status: int
    asked_at: float


@dataclass(frozen=True)
class OptOut:
    """A withdrawal of these clips; `replied_at` is when the site confirmed it, or None."""

    way: str
    clips: frozenset[int]
    replied_at: float | None
    receipt: str = ""  # the address of its receipt


@dataclass
class Diary:
    """Written by many threads, which only append."""

    answered: list[Answered] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    opted_out: list[OptOut] = field(default_factory=list)
    asked_to_forget: set[int] = field(default_factory=set)  # clips, noted before the call
    leavers: dict[int, str] = field(default_factory=dict)  # "keep" or "remove" their answers; noted before
    imported: list[int] = field(default_factory=list)  # clips that an import reported as stored
    refused_imports: list[str] = field(default_factory=list)
    database_down: list[tuple[float, float]] = field(default_factory=list)
    worked_at: float = 0.0  # when the site last answered a volunteer with success
    hung_up: list[float] = field(default_factory=list)  # when a client closed its connection during a call
    unknown: list[int] = field(default_factory=list)  # clips of answers whose outcome was never known

    def forgotten(self) -> dict[int, float]:
        """Clips whose opt-out was confirmed, and the time of the first confirmation."""
        confirmed: dict[int, float] = {}
        for out in self.opted_out:
            if out.replied_at is not None:
                for clip in out.clips:
                    confirmed[clip] = min(out.replied_at, confirmed.get(clip, out.replied_at))
        return confirmed

    def database_was_down(self, since: float, until: float) -> bool:
        return any(start <= until and since <= end for start, end in list(self.database_down))
