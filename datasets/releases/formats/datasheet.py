"""The datasheet of a release: questions about a dataset and their answers.

After T. Gebru, J. Morgenstern, B. Vecchione, J. Wortman Vaughan, H. Wallach, H. Daumé III, K. Crawford,
Datasheets for Datasets (Communications of the ACM 64, 2021), doi:10.1145/3458723. Its seven sections and
their questions, in our own words.
"""

from collections.abc import Iterable

from . import privacy, statements
from .about import IMPORT, About
from .card import changes, citation
from .card_head import CardForm
from .markdown import bullets, duration, inline, listed, number, paragraphs, share
from .summary import Summary

_INTRODUCTION = (
    "The questions follow “Datasheets for Datasets” by Gebru and others (2021), "
    "[doi:10.1145/3458723](https://doi.org/10.1145/3458723). The card, README.md, has the same facts with "
    "more figures."
)

Answer = tuple[str, str | Iterable[str]]


def datasheet(about: About, summary: Summary, form: CardForm) -> str:
    """DATASHEET.md."""
    about = about.spelled(inline)
    sections = {
        "Motivation": _motivation(about, summary),
        "Composition": _composition(about, summary, form),
        "Collection": _collection(about),
        "Preprocessing, cleaning and labelling": _labelling(about, summary),
        "Uses": _uses(about, summary),
        "Distribution": _distribution(about),
        "Maintenance": _maintenance(about),
    }
    return paragraphs(
        f"# Datasheet of {about.title}",
        _INTRODUCTION,
        *(_section(name, answers) for name, answers in sections.items()),
    )


def _section(name: str, answers: Iterable[Answer]) -> str:
    return paragraphs(f"## {name}", *(_answered(*each) for each in answers))


def _answered(question: str, answer: str | Iterable[str]) -> str:
    said = [answer] if isinstance(answer, str) else answer
    return paragraphs(f"### {question}", *said)


def _motivation(about: About, summary: Summary) -> list[Answer]:
    return [
        (
            "Why was the dataset made?",
            [
                statements.uses(about, summary),
                "Open speech systems need examples from people who agreed to give them. This site collects "
                "such clips, has volunteers label them, and lets each person take theirs back.",
            ],
        ),
        (
            "Who made it?",
            f"Those who run {about.site}{_operator(about)}, with the people who gave clips and the "
            "volunteers who labelled them.",
        ),
        ("Who paid for it?", f"The site does not record that. Ask: {about.contact}"),
    ]


def _operator(about: About) -> str:
    return f" ({about.operator})" if about.operator else ""


def _composition(about: About, summary: Summary, form: CardForm) -> list[Answer]:
    return [
        ("What is one item?", [statements.description(about, summary), "Its files:", form.LAYOUT]),
        ("How many items are there?", _amount(summary)),
        (
            "Is it everything, or a sample?",
            [
                "It has every clip of its campaigns whose label was certain enough and that could be shared "
                "with this audience when the release was made, minus those recalled since. It is not a "
                "sample of any population.",
                *_missing(about, summary),
            ],
        ),
        (
            "Does each item have a label?",
            "Yes: the answer that it was settled on, how certain that is, and the votes for each answer.",
        ),
        (
            "Is anything missing from items?",
            "Seconds in which something private was heard are silent. Transcripts say `[private]` there, and "
            "`[unclear]` where words could not be made out.",
        ),
        (
            "Are items related to each other?",
            "Items of one speaker have the same `speaker`. Several may be readings of one sentence.",
        ),
        (
            "Are there recommended splits?",
            ["Train, dev and test. No speaker is in more than one.", *_splits(about)],
        ),
        ("What errors does it contain?", statements.measured(about.figures)),
        (
            "Does it depend on anything elsewhere?",
            f"No, but the list of withdrawn clips is published at {about.recalls}",
        ),
        ("Could it contain confidential data?", _confidential(about)),
        (
            "Could items be offensive or upsetting?",
            "Yes: people say what they like. Volunteers can report a clip, and reports can hide it until a "
            "reviewer has heard it.",
        ),
        ("Does it identify groups of people?", statements.who_speaks(about)),
        ("Can people be recognised?", [privacy.personal(about), *_disguise(about)]),
        (
            "Does it contain especially sensitive data?",
            "No one was asked for such data, but people may have said something of the kind.",
        ),
    ]


def _amount(summary: Summary) -> str:
    speakers = set[str]().union(*(subtotal.speakers for subtotal in summary.splits.values()))
    seconds = sum(subtotal.seconds for subtotal in summary.splits.values())
    return (
        f"{number(summary.clips, 'clip', 'clips')} of {number(len(speakers), 'speaker', 'speakers')}, "
        f"{duration(seconds)} in all (hours, minutes, seconds)."
    )


def _missing(about: About, summary: Summary) -> list[str]:
    """What is left out by the release, and by the format."""
    counts = statements.left_out(about.figures) | dict(summary.left_out)
    return [f"Left out: {number(count, 'clip', 'clips')} ({inline(why)})." for why, count in counts.items()]


def _splits(about: About) -> list[str]:
    reached = about.figures.get("split_shares", {})
    shares = [f"{split} {share(part)}" for split, part in reached.items()]
    return [f"Shares reached: {', '.join(shares)}."] if shares else []


def _confidential(about: About) -> list[str]:
    told = privacy.cleared(about)
    if told is None:
        return ["Yes. It is not recorded that its clips were checked for that."]
    return [told.looked_for, bullets(told.counts), *told.means]


def _disguise(about: About) -> Iterable[str]:
    return privacy.DISGUISE if about.is_disguised else ()


def _collection(about: About) -> list[Answer]:
    return [
        ("How was each item recorded?", statements.how_recorded(about)),
        ("With what?", "Whatever microphone a browser or a device has."),
        ("How was the sample drawn?", "It was not drawn: it has whoever took part."),
        ("Who did the work, and how were they paid?", statements.WHO_ANNOTATES),
        ("When?", f"The release was made in {about.quarter}. No finer time of anything is disclosed."),
        ("Was there an ethical review?", f"The site does not record that. Ask: {about.contact}"),
        ("Did people know, and did they agree?", _agreed(about)),
        ("Can they take it back?", privacy.withdrawal(about)),
        (
            "Was the impact on people studied?",
            "Not as a whole. What is known about recognising voices is under Composition and Uses.",
        ),
    ]


def _agreed(about: About) -> list[str]:
    here = (
        "People who give clips on this site see a notice that says who hears what, and tick a box for each "
        "audience. No box is ticked in advance, and nothing is stored without one."
    )
    brought = (
        "Imported clips came from whoever brought their collection, who stated the consent of its speakers."
    )
    return [here] * (set(about.sources) != {IMPORT}) + [brought] * (IMPORT in about.sources)


def _labelling(about: About, summary: Summary) -> list[Answer]:
    machines = statements.machines(about)
    return [
        ("What was done to the sound?", statements.processing()),
        ("How was it labelled?", statements.annotation(about, summary)),
        ("How good are the labels?", statements.measured(about.figures)),
        (
            "Is the raw material kept?",
            [
                "The votes for every answer are in `soft-labels.jsonl`. Sounds are kept in no other form.",
                *statements.single_votes(about),
            ],
        ),
        (
            "Did programs label it?",
            f"No, but people could see drafts by {listed(machines)}." if machines else "No, people did.",
        ),
    ]


def _uses(about: About, summary: Summary) -> list[Answer]:
    return [
        ("What is it for?", statements.uses(about, summary)),
        ("What has it been used for?", "The site does not ask."),
        ("What should it not be used for?", statements.OUT_OF_SCOPE),
        ("What are its limits and risks?", statements.limitations(about)),
    ]


def _distribution(about: About) -> list[Answer]:
    licences = listed(map(inline, about.licences))
    stated = f"Licences that occur: {licences}. `LICENSE.txt` has the share of each source."
    return [
        ("Who may have it?", statements.terms(about)),
        ("How?", f"From {about.page} as an archive in one of several formats."),
        ("Under which licence?", stated if about.licences else "None was stated."),
        ("Do other people's rights limit its use?", privacy.personal(about)),
        ("What must a copy do?", [*privacy.withdrawal(about), privacy.checksums(about)]),
    ]


def _maintenance(about: About) -> list[Answer]:
    return [
        ("Who maintains it?", f"Those who run {about.site}{_operator(about)}: {about.contact}"),
        ("Will it change?", statements.maintenance(about)),
        ("What changed since the version before?", changes(about)),
        (
            "How long is it kept?",
            "People's clips are kept until they withdraw them. A whole release can be retracted.",
        ),
        ("Do older versions stay?", "Yes, minus what is recalled from each."),
        (
            "Can others add to it?",
            f"Yes: people give clips and label them at {about.site}, for later releases.",
        ),
        ("How is it cited?", citation(about)),
    ]
