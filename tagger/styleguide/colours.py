"""The colours of both themes, read from the style sheets that pages load, and the contrast of each pair."""

import re
from dataclasses import dataclass
from pathlib import Path

SHEETS = Path(__file__).resolve().parents[2] / "static/css"

# What WCAG 2.2 AA asks: of words, and of what one must tell apart without reading, such as an edge.
OF_WORDS, OF_SHAPES = 4.5, 3.0

_GROUNDS = ("paper", "surface", "sunken")
WORDS = (
    *((word, ground) for word in ("ink", "ink-soft", "accent", "voice-strong", "bad") for ground in _GROUNDS),
    *(("ink", f"{kind}-tint") for kind in ("accent", "voice", "good", "warn", "bad")),
    ("bad", "bad-tint"),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("on-bad", "bad"),
)
SHAPES = tuple(
    (shape, ground) for shape in ("line-strong", "focus", "accent", "voice") for ground in _GROUNDS[:2]
)


@dataclass(frozen=True)
class Pair:
    """A colour on another, by their names and values."""

    front: str
    ground: str
    front_value: str
    ground_value: str
    ratio: float
    wanted: float

    @property
    def is_enough(self) -> bool:
        return self.ratio >= self.wanted


def themes() -> dict[str, dict[str, str]]:
    """The value of each name in each theme; what the dark sheet leaves out is as in the light one."""
    light, dark = (_colours_of(SHEETS / name) for name in ("tokens.css", "dark.css"))
    return {"light": light, "dark": light | dark}


def pairs(colours: dict[str, str]) -> list[Pair]:
    """Each pair that pages use, with the contrast it has and the contrast it needs.

    >>> pairs({name: "#000000" for pair in WORDS + SHAPES for name in pair})[0].is_enough
    False
    """
    asked = [(*pair, OF_WORDS) for pair in WORDS] + [(*pair, OF_SHAPES) for pair in SHAPES]
    return [
        Pair(
            front, ground, colours[front], colours[ground], contrast(colours[front], colours[ground]), wanted
        )
        for front, ground, wanted in asked
    ]


def contrast(one: str, other: str) -> float:
    """By WCAG 2.2, from 1 to 21.

    >>> contrast("#000000", "#ffffff"), contrast("#777777", "#777777")
    (21.0, 1.0)
    """
    dark, light = sorted(_luminance(colour) for colour in (one, other))
    return round((light + 0.05) / (dark + 0.05), 2)


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _colours_of(sheet: Path) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", sheet.read_text()))
