"""A release as the documents of its archives describe it: made facts, and rows without a database."""

from collections import Counter, defaultdict
from dataclasses import replace

from datasets.releases.formats.about import About, CampaignFacts, Origin, Subset
from datasets.releases.formats.summary import Subtotal, Summary

PLAIN = About(
    name="spring",
    title="Spring release",
    quarter="2025-Q2",
    site="https://tags.example",
    contact="data@tags.example",
)

# Every fact is there, and the words that people typed try to be something else.
FULL = About(
    name="summer",
    title="Summer | <b>release</b>\n---\n# `x`: [y](z) & \u202e*all*",
    quarter="2025-Q3",
    site="https://tags.example",
    contact="data@tags.example",
    licence="",
    as_of="2025-09-02",
    version="1.2.0",
    notes="New voices.\n\n# and <script>more</script>",
    previous="spring",
    operator="Tags & Friends",
    campaigns=(
        CampaignFacts(
            title="Hey Mycroft",
            kind="wake-word",
            language="en",
            wake_word="hey mycroft",
            question="Do you hear “hey mycroft”?",
            guidelines="Listen twice.\n- yes: all of it",
            guidelines_version=3,
            min_annotations=2,
            max_annotations=7,
            confidence=0.75,
        ),
        CampaignFacts(title="Frases", kind="transcription", language="es-MX", drafts_by="Ear 2"),
    ),
    subsets=(
        Subset("hey-mycroft-en", "wake-word", "en", "hey mycroft"),
        Subset("transcription-es-mx", "transcription", "es-MX"),
    ),
    origins=(
        Origin("browser", "CC0-1.0", clips=5, seconds=10.0, speakers=3),
        Origin("device", "", clips=1, seconds=2.0, speakers=1),
        Origin("import", "CC-BY-4.0", clips=2, seconds=4.0, speakers=2, collection="Voces *del* sur"),
    ),
    figures={
        "annotators": 12,
        "votes": 1340,
        "votes_per_clip": 2.5,
        "alpha": 0.812,
        "expected_error": 0.013,
        "expected_error_low": 0.01,
        "expected_error_high": 0.02,
        "adjudicated": 1,
        "left_out": {"unsettled": 4, "not_cleared": 2, "unsure": 0},
        "split_targets": {"train": 0.8, "dev": 0.1, "test": 0.1},
        "split_shares": {"train": 0.7, "dev": 0.1, "test": 0.2},
        "small_groups": {"k": 3, "coarsened": ["source", "asked"]},
        "counts_noise": {"mechanism": "discrete Laplace", "epsilon": 1.0},
    },
    changes={"added": 5, "changed": {"votes": 2, "reviewer": 1}, "recalled": 1},
)

CLEARING = {
    **{"checkers": 2, "checked": 9, "found": 1, "silenced": 1, "destroyed": 0, "not_cleared": 4},
    **{"known": 20, "missed": 1, "missed_low": 0.01, "missed_high": 0.24},
}

RELEASES = {
    "plain": PLAIN,
    "full": FULL,
    "public and disguised": replace(FULL, is_public=True, is_disguised=True, clearing=CLEARING),
    "single votes": replace(FULL, has_single_votes=True),
    "no licence": replace(PLAIN, licence=""),
    "licence of one's own": replace(PLAIN, licence="LicenseRef-Our_own 1"),
    "unknown licence": replace(PLAIN, licence="Beerware"),
    "intents": replace(PLAIN, subsets=(Subset("", "intent", "no"),)),
    "import alone": replace(PLAIN, origins=(Origin("import", "MIT", 1, 2.0, 1, "Old"),)),
}


def summary(languages=("en",), clips=0, *, speakers=2, wake_word="", left_out=()):
    """Counts of so many clips, all in train, in these languages by turns."""
    counts = Summary(languages=defaultdict(Subtotal), left_out=Counter(dict(left_out)))
    for number in range(clips):
        groups = [counts.splits["train"], counts.languages[languages[number % len(languages)]]]
        for group in groups + ([counts.wake_words[wake_word]] if wake_word else []):
            group.clips += 1
            group.seconds += 2.0
            group.speakers.add(f"s{number % speakers}")
    return counts


class Form:
    """A format of which only the documents know."""

    NAME = "made"
    LAYOUT = "- `clips/`: WAV, 16 kHz, mono, 16 bit."
