"""What the page shows in its components: made-up numbers, a form with errors, rows for a table."""

import math
import re
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings

ICONS = settings.BASE_DIR / "static/img/icons.svg"
DRAWINGS = ("empty", "done", "offline", "error", "consent", "pause")
STEPS = ("Name it", "Explain it", "Bring clips", "Invite people", "Check and open")
CODE = """curl -H "Authorization: Token $TOKEN" \\
  https://tagger.example/api/v1/releases/spring/deepspeech.tar \\
  --continue-at - --output spring.tar"""
ANSWERS = ("Yes", "Similar", "No", "Noise")

# Sizes of the type, by their names in tokens.css, and where each is used.
SIZES = (
    ("text-hero", "The front page’s first line"),
    ("text-h1", "A page’s heading"),
    ("text-h2", "A section’s heading"),
    ("text-h3", "A card’s heading"),
    ("text-lead", "What a page is about"),
    ("text", "Text"),
    ("text-small", "Help below a field, and axes"),
    ("text-eyebrow", "What kind of thing a heading names"),
)


def icons() -> list[str]:
    """The names of all icons in the set."""
    return re.findall(r'<symbol id="([\w-]+)"', ICONS.read_text())


def wave_heights(bars: int = 48) -> list[float]:
    """A wave as of a short phrase."""
    return [
        10 + 80 * abs(math.sin(0.55 * n) * math.sin(0.21 * n + 0.4)) * math.sin(math.pi * n / bars)
        for n in range(bars)
    ]


class SampleForm(forms.Form):
    """One field of each kind; what is sent to it is wrong on purpose."""

    title = forms.CharField(label="Title", help_text="Volunteers see it on the page of campaigns.")
    purpose = forms.CharField(label="Purpose", widget=forms.Textarea(attrs={"rows": 3}), required=False)
    language = forms.ChoiceField(label="Language", choices=[("en", "English"), ("es", "Español")])
    answers = forms.IntegerField(label="Most answers for a clip", min_value=2, max_value=40)
    opens = forms.DateField(label="Opens on", widget=forms.DateInput(attrs={"type": "date"}), required=False)
    slug = forms.SlugField(label="Address", disabled=True, required=False, initial="hey-juniper")
    is_open = forms.BooleanField(label="Open to everyone", required=False)


def refused_form() -> SampleForm:
    return SampleForm({"title": "", "language": "xx", "answers": "400"}, auto_id="sample_%s")


@dataclass(frozen=True)
class Row:
    number: int
    campaign: str
    kind: str
    state: str
    answers: int
    confidence: float


STATES = ("settled", "open", "disputed", "hidden")
SORTABLE = {"number": "Clip", "answers": "Answers", "confidence": "Confidence"}


def rows() -> list[Row]:
    """Enough for a few pages."""
    return [
        Row(
            number=1000 + 7 * n,
            campaign=("Hey Juniper", "Everyday sentences")[n % 2],
            kind=("wake word", "transcript")[n % 2],
            state=STATES[(n * n + n // 3) % 4],
            answers=2 + n * 5 % 7,
            confidence=round(0.55 + 0.44 * abs(math.sin(n)), 2),
        )
        for n in range(42)
    ]


def charts() -> dict[str, Any]:
    """One of each kind, as owners and researchers may see them."""
    months = [f"{month} 2026" for month in ("Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov")]
    alpha: list[float | None] = [0.52, 0.58, 0.61, None, 0.66, 0.71, 0.7, 0.74, 0.77]
    width = [0.11, 0.09, 0.08, 0, 0.06, 0.05, 0.05, 0.04, 0.03]
    same: list[float | None] = [0.71, 0.74, 0.75, 0.79, 0.8, 0.83, 0.84, 0.85, 0.88]
    return {
        "answers": [("Yes", 1840), ("Similar", 412), ("No", 967), ("Noise", 233)],
        "reliability": [
            ("Volunteer 12", 0.94, 0.9, 0.97),
            ("Volunteer 48", 0.83, 0.71, 0.91),
            ("Volunteer 7", 0.62, 0.44, 0.77),
        ],
        "months": months,
        "agreement": [
            {
                "name": "Krippendorff’s alpha",
                "values": alpha,
                "lows": [None if a is None else round(a - w, 2) for a, w in zip(alpha, width, strict=True)],
                "highs": [None if a is None else round(a + w, 2) for a, w in zip(alpha, width, strict=True)],
            },
            {"name": "Same answer", "values": same},
        ],
        "edges": [round(0.5 + 0.05 * n, 2) for n in range(11)],
        "counts": [14, 22, 31, 28, 47, 63, 88, 140, 231, 402],
        "confusion": [
            ("Yes", [0.93, 0.04, 0.02, 0.01]),
            ("Similar", [0.21, 0.66, 0.12, 0.01]),
            ("No", [0.01, 0.08, 0.87, 0.04]),
            ("Noise", [None, 0.02, 0.18, 0.8]),
        ],
    }
