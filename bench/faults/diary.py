"""What clients asked and were told, with times: all that the checker knows of the run.

A clip is named by its number of samples, which no two clips share: a client learns it from the `duration`
of an assignment, and so knows which clip it holds without a look into the database. Times are seconds of
the monotonic clock.
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
    """The site said 201 or 200: it holds this answer."""

    annotator: int
    clip: int
    answer: str
    annotation: int
    told_at: float


@dataclass(frozen=True)
class Missed:
    """A call about a clip that ended otherwise: 404, 410, or a 5xx."""

    call: str
    annotator: int
    clip: int  # 0: of none
    status: int
    asked_at: float
    told_at: float


@dataclass(frozen=True)
class Heard:
    """Somebody asked for a clip's sound, and with what status that ended."""

    clip: int
    status: int
    asked_at: float


@dataclass(frozen=True)
class OptOut:
    """Somebody took these clips back; `told_at` is when the site said so, if it did."""

    way: str
    clips: frozenset[int]
    told_at: float | None
    receipt: str = ""  # the address of its receipt


@dataclass
class Diary:
    """Written by many threads: each only appends."""

    answered: list[Answered] = field(default_factory=list)
    missed: list[Missed] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    opted_out: list[OptOut] = field(default_factory=list)
    asked_to_forget: set[int] = field(default_factory=set)  # clips, before the call is made
    gone_people: dict[int, str] = field(default_factory=dict)  # "keep" or "remove" their answers; when asked
    imported: list[int] = field(default_factory=list)  # clips that an import said are held
    refused_imports: list[str] = field(default_factory=list)
    database_away: list[tuple[float, float]] = field(default_factory=list)
    worked_at: float = 0.0  # when the site last did what a volunteer asked
    hung_up: list[float] = field(default_factory=list)  # when a client closed a connection in mid-call
    unknown: list[int] = field(default_factory=list)  # clips of answers whose fate nobody ever learned

    def forgotten(self) -> dict[int, float]:
        """Clips whose opt-out was acknowledged, and when first."""
        told: dict[int, float] = {}
        for out in self.opted_out:
            if out.told_at is not None:
                for clip in out.clips:
                    told[clip] = min(out.told_at, told.get(clip, out.told_at))
        return told

    def database_was_away(self, since: float, until: float) -> bool:
        return any(start <= until and since <= end for start, end in list(self.database_away))
