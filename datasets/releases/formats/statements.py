"""What the documents of an archive say of a release, in sentences that are true for it.

Each function returns sentences without line breaks. The card, the datasheet and the Croissant file use the
same ones, so that they cannot contradict each other. What people typed is expected to be safe already for the
document that is written, by About.spelled.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from .about import BROWSER, IMPORT, RECALL_DAYS, About, Origin
from .markdown import listed, number, share
from .rows import TRANSCRIPTION, WAKE_WORD
from .summary import Summary

INTENT = "intent"

NOT_STATED = "not stated"

WHO_ANNOTATES = (
    "Volunteers with an account on the site; it pays no one. Their age, sex, origin and training were never "
    "asked."
)

OUT_OF_SCOPE = (
    "Finding out who a speaker is, telling speakers apart from one release to another, or imitating a voice."
)

_KINDS = {
    WAKE_WORD: "recordings of a wake word and of sounds that could be taken for it",
    TRANSCRIPTION: "recordings of speech with transcripts",
    INTENT: "what people said to a voice assistant, with what they wanted",
}
_USES = {
    WAKE_WORD: "models that hear a wake word",
    TRANSCRIPTION: "models that write down speech",
    INTENT: "models that tell what somebody wants from what they said",
}
_LEFT_OUT = {
    "unsettled": "volunteers had not agreed yet",
    "unsure": "the answer was less certain than this release asks for",
    "without_consent": "not shared with this audience, withdrawn, or reported",
    "not_cleared": "not cleared before publication",
    "not_reserved": "not of the speakers who are reserved for tests",
    "shared_sentences": "the sentence is in another split, too",
}
_CHANGED_BY = {
    "votes": "more answers",
    "reviewer": "a reviewer decided",
    "recount": "answers weighted anew",
}


def kinds(about: About, summary: Summary) -> tuple[str, ...]:
    """The kinds of questions whose clips this archive has, or could have if it is empty."""
    named = {subset.kind for subset in about.subsets} or {campaign.kind for campaign in about.campaigns}
    if summary.clips:
        spoken = sum(subtotal.clips for subtotal in summary.wake_words.values())
        others = (named - {WAKE_WORD} or {TRANSCRIPTION}) if spoken < summary.clips else set()
        named = others | ({WAKE_WORD} if spoken else set())
    return tuple(kind for kind in _KINDS if kind in named)


def languages(about: About, summary: Summary) -> list[str]:
    """Of the clips of this archive; of the release, if the archive has none."""
    return sorted(summary.languages) or sorted({subset.language for subset in about.subsets})


def description(about: About, summary: Summary) -> str:
    what = "; ".join(_KINDS[kind] for kind in kinds(about, summary)) or "voice clips"
    spoken = f" Languages: {listed(languages(about, summary))}." if languages(about, summary) else ""
    return f"{what[0].upper()}{what[1:]}. Volunteers of {about.site} labelled each clip.{spoken}"


def who_speaks(about: About) -> str:
    imported = ", and such columns of imported collections were dropped" if IMPORT in about.sources else ""
    return (
        "Speakers are whoever took part, not a sample of any population. Age, sex, ethnicity and income were "
        f"never asked here{imported}, so performance by such groups cannot be measured with this dataset."
    )


def uses(about: About, summary: Summary) -> str:
    named = [_USES[kind] for kind in kinds(about, summary)] or list(_USES.values())[:2]
    return f"Training and testing {_joined(named)}."


def recorded(origin: Origin, about: About) -> str:
    """How the clips of one source were recorded, and by whose word they may be shared."""
    licence = f"Licence: {origin.licence or NOT_STATED}."
    if origin.source == IMPORT:
        title = f"“{origin.collection}”" if origin.collection else "without a title"
        return (
            f"Taken over from the collection {title}, which was recorded elsewhere; see its own "
            "documentation for how. Whoever brought it here stated the consent of its speakers on which this "
            f"release rests. {licence}"
        )
    audience = "that public releases may hold" if about.is_public else "that named researchers may have"
    agreed = f"Each contributor agreed on this site {audience} these clips. {licence}"
    if origin.source == BROWSER:
        return f"Recorded in the browser on {about.site} by people who spoke or read aloud for it. {agreed}"
    return (
        "Sent by voice assistants that their owners had linked to an account here: what the assistant took "
        f"for its wake word, or what was said after it. {agreed}"
    )


def how_recorded(about: About) -> list[str]:
    """One sentence for each source, the largest first."""
    if not about.origins:
        return ["How its clips were recorded was not noted when this release was made."]
    said = [recorded(origin, about) for origin in by_size(about.origins)]
    if "source" in about.figures.get("small_groups", {}).get("coarsened", ()):
        said.append("Of the other clips the source is not given, because it would tell few people apart.")
    return said


def by_size(origins: Iterable[Origin]) -> list[Origin]:
    return sorted(origins, key=lambda each: (-each.clips, each.source, each.collection, each.licence))


def processing() -> str:
    return (
        "Every sound was decoded and converted to 16 kHz, mono, 16 bit; nothing else of the original file "
        "was kept. No speaker is in more than one split."
    )


def annotation(about: About, summary: Summary) -> list[str]:
    """How labels came about, without figures."""
    said = [
        "Several volunteers answered for each clip without seeing one another's answers. Answers are "
        "weighted by how reliable each volunteer has been, and a clip is settled once its label is certain "
        "enough; a tie never settles. Where volunteers still disagreed at the campaign's limit, a reviewer "
        "decided.",
        "Reliability is also measured with clips whose answer is known and with clips that a volunteer has "
        "answered before; campaigns can mix both in, unmarked.",
    ]
    if TRANSCRIPTION in kinds(about, summary):
        said.append(
            "Transcripts are in lower case without punctuation. `[unclear]` stands for words that could not "
            "be made out, `[private]` for what was said in seconds that are silenced."
        )
    if machines(about):
        said.append(
            "Volunteers could ask for a machine's draft of the transcript before they wrote their own. "
            f"The machines: {listed(machines(about))}."
        )
    return said


def machines(about: About) -> list[str]:
    return sorted({campaign.drafts_by for campaign in about.campaigns} - {""})


def single_votes(about: About) -> list[str]:
    """Which answers are listed one by one, whose, and what they can give away; empty without them."""
    if not about.has_single_votes:
        return []
    told = about.figures.get("single_votes", {})
    given = f" ({told['votes']} of {about.figures.get('votes', 0)})" if "votes" in told else ""
    said = [
        "`votes.parquet` lists answers of volunteers one by one: only of those who agreed to that, and only "
        f"what they answered since{given}. Counts in `soft` and `votes` are of all answers. Answers to "
        "clips whose answer was known are among them, unmarked; second answers to the same clip, decisions "
        "of reviewers, checks before publication and answers of people who left are not. `weight` is what "
        "the certificate of the label says: 1 counts as usual, 0 not at all, 2 twice. How reliable each "
        "volunteer was when the label was settled is not listed, as that would be as good as a name.",
        "A volunteer's id is random and of this release alone, and no time is finer than a day. But whoever "
        "has two releases with the same clips can find out which ids are one person, as they gave the same "
        "answers; and as nobody answers their own clips, an id may fit a speaker whom it never answered. Do "
        "not try to find out who a volunteer is.",
        "A volunteer can take this back. Their votes are blank from then on, and missing once the next list "
        "of recalls is published, which names their id under `annotators`; a copy must lose them as it "
        "must lose clips.",
    ]
    if least := about.figures.get("small_groups", {}).get("k"):
        unsaid = told.get("unsaid")
        said.append(
            f"Votes are of at least {least} volunteers, for each kind, language and wake word."
            + (f" Values that fewer have are left out of: {listed(unsaid)}." if unsaid else "")
        )
    return said


def measured(figures: Mapping[str, Any]) -> list[str]:
    """The figures of labels that are there."""
    if not figures:
        return ["No statistics of its labels were kept when this release was made."]
    found = [_votes(figures), _agreement(figures), _errors(figures), _adjudicated(figures)]
    return [sentence for sentence in found if sentence]


def _votes(figures: Mapping[str, Any]) -> str:
    if "annotators" not in figures or "votes" not in figures:
        return ""
    each = figures.get("votes_per_clip")
    average = f", {each:.1f} for a clip on average" if each is not None else ""
    people = number(figures["annotators"], "volunteer", "volunteers")
    return f"{people} gave {number(figures['votes'], 'answer', 'answers')}{average}."


def _agreement(figures: Mapping[str, Any]) -> str:
    if (alpha := figures.get("alpha")) is None:
        return "How well volunteers agree was not measured."
    return (
        f"Krippendorff's alpha of their answers is {alpha:.2f}: 1 is full agreement, 0 is what chance gives."
    )


def _errors(figures: Mapping[str, Any]) -> str:
    if (expected := figures.get("expected_error")) is None:
        return "How many labels are wrong was not estimated."
    low, high = figures.get("expected_error_low"), figures.get("expected_error_high")
    interval = (
        f" (95 % interval {share(low)} to {share(high)})" if low is not None and high is not None else ""
    )
    return (
        f"Going by how certain each label is, {share(expected)} of them are expected to be wrong{interval}."
    )


def _adjudicated(figures: Mapping[str, Any]) -> str:
    if "adjudicated" not in figures:
        return ""
    return f"A reviewer decided {number(figures['adjudicated'], 'clip', 'clips')}."


def left_out(figures: Mapping[str, Any]) -> dict[str, int]:
    """Clips of the campaigns that are not in the release, by reason in words."""
    counts = figures.get("left_out", {})
    return {_LEFT_OUT.get(why, why): count for why, count in counts.items() if count}


def terms(about: About) -> str:
    if about.is_public:
        return "Everyone may have this release, under its licence."
    return (
        "This release is for named researchers who accepted its terms: not to find out who speaks, to delete "
        f"recalled clips within {RECALL_DAYS} days, and not to host it elsewhere."
    )


def limitations(about: About) -> list[str]:
    said = [
        who_speaks(about),
        "Clips come from whatever devices and rooms people had: uncommon voices, accents and surroundings "
        "are uncommon here too, or missing.",
        "Labels are what most volunteers heard. Some are wrong, most often where people speak unclearly or "
        "in a way that few volunteers know.",
        "A trained model can give away the voices that it was trained on. Withdrawing a clip does not change "
        "models that exist.",
    ]
    if about.is_disguised:
        said.append("The disguise changes voices, so a model trained on it does worse on other voices.")
    return said


def maintenance(about: About) -> list[str]:
    return [
        "A release is frozen: its labels, texts, licences and splits stay as they were when it was made. "
        "Only recalls change it, at most once a day. Newer versions are separate releases, listed at "
        f"{about.site}/releases/",
        "`LICENSE.txt` names the day of the newest recalls that this copy follows, if there were any.",
        "If a whole release is retracted, its page says so, and its feed recalls every clip.",
        f"To report a mistake, or if you think that you can be heard in it, write to: {about.contact}",
    ]


def changed(changes: Mapping[str, Any]) -> list[str]:
    """Since the version before, in counts of clips."""
    counts = [("New", changes.get("added"))]
    reasons = {_CHANGED_BY.get(why, why): count for why, count in changes.get("changed", {}).items()}
    counts += [(f"Label changed, {why}", count) for why, count in sorted(reasons.items())]
    counts += [("Recalled", changes.get("recalled")), ("No longer in it", changes.get("left_out"))]
    return [f"{what}: {number(count, 'clip', 'clips')}" for what, count in counts if count is not None]


def _joined(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
