"""The dataset card of an archive, for people and for the Hugging Face hub."""

from collections.abc import Mapping
from typing import Any

from . import privacy, statements
from .about import About, CampaignFacts, Origin
from .card_head import CardForm, head
from .licence import address, texts
from .markdown import bullets, duration, grid, inline, listed, number, one_line, paragraphs, quoted, share
from .summary import Subtotal, Summary


def readme(about: About, summary: Summary, form: CardForm) -> str:
    """README.md, with the sections of the hub's template."""
    return f"{head(about, summary, form)}\n{_body(about.spelled(inline), summary, form)}"


def _body(about: About, summary: Summary, form: CardForm) -> str:
    return paragraphs(
        f"# {about.title}",
        statements.description(about, summary),
        _details(about, summary),
        quoted(about.notes),
        _uses(about, summary),
        f"## Dataset Structure\n\n{form.LAYOUT}\n\n{_common_files(about)}\n\n{_counts(about, summary)}",
        _creation(about),
        _annotations(about, summary),
        _personal(about),
        _limitations(about),
        "## Changes\n\n" + changes(about),
        f"## Maintenance\n\n{bullets(statements.maintenance(about))}",
        f"## Citation\n\n> {citation(about)}",
        f"## Contact\n\n{about.contact}",
    )


def changes(about: About) -> str:
    """What is new since the version before."""
    if not about.previous:
        return "This is the first version."
    return f"Compared with {about.previous}:\n\n{bullets(statements.changed(about.changes))}"


def citation(about: About) -> str:
    version = f", version {about.version}" if about.version else ""
    by = f"{about.operator}. " if about.operator else ""
    return f"{by}{about.title}. Release {about.name}{version}, {about.quarter}. {about.page}"


def bibtex(about: About) -> str:
    """
    >>> bibtex(About("spring", "Spring {1}", "2025-Q2", "https://a.example", "me")).splitlines()[1]
    '  title = {Spring 1},'
    """
    fields = {
        "title": about.title,
        "author": f"{{{_braceless(about.operator)}}}" if about.operator else "",
        "year": about.quarter[:4],
        "version": about.version,
        "howpublished": about.page,
    }
    lines = [
        f"  {name} = {{{value if name == 'author' else _braceless(value)}}},"
        for name, value in fields.items()
        if value
    ]
    return "\n".join([f"@misc{{{about.name},", *lines, "}"])


def _braceless(text: str) -> str:
    return one_line("".join(char for char in text if char not in "{}\\"))


def _details(about: About, summary: Summary) -> str:
    speakers = set[str]().union(*(subtotal.speakers for subtotal in summary.splits.values()))
    seconds = sum(subtotal.seconds for subtotal in summary.splits.values())
    version = [f"Version: {about.version}"] if about.version else []
    previous = [f"Version before: {about.previous}"] if about.previous else []
    operator = [f"Published by: {about.operator}"] if about.operator else []
    return "## Dataset Details\n\n" + bullets(
        [
            f"Release: {about.name} ({about.quarter})",
            *version,
            *previous,
            f"Clips: {summary.clips}, {duration(seconds)}, {number(len(speakers), 'speaker', 'speakers')}",
            f"Language: {listed(summary.languages)}",
            f"Wake word: {listed(map(inline, summary.wake_words))}",
            f"Licence: {_linked(about.licence) if about.licence else 'each clip has its own'}",
            *operator,
            f"Source: {about.site}",
        ]
    )


def _linked(licence: str) -> str:
    return f"[{inline(licence)}]({address(licence)})" if address(licence) else inline(licence)


def _uses(about: About, summary: Summary) -> str:
    return (
        f"## Uses\n\n### Direct Use\n\n{statements.uses(about, summary)}\n\n{statements.terms(about)}\n\n"
        f"### Out-of-Scope Use\n\n{statements.OUT_OF_SCOPE}"
    )


_PREVIOUS_IDS = """
- `previous-ids.csv`: the id that each clip had in {}, and why its answer changed."""


_SINGLE_VOTES = """
- `votes.parquet`: answers of volunteers one by one, with the clip's `id`, the `annotator`, the `answer`,
  its `weight` and the `day`."""


def _common_files(about: About) -> str:
    votes = _SINGLE_VOTES if about.has_single_votes else ""
    previous = _PREVIOUS_IDS.format(about.previous) if about.previous else ""
    licence = "`LICENSE.txt` and `LICENSES/`" if texts(about) else "`LICENSE.txt`"
    return f"""\
Beside them:

- `soft-labels.jsonl`: for each clip its `id`, `speaker`, `split` and `licence`, the `answer` that it was
  settled on, the `confidence` of that answer, in `soft` the votes for every answer or for every word of a
  transcript, how long it is, and how well it was recorded as far as that was measured.{votes}{previous}
- `DATASHEET.md`: questions and answers about how this dataset came about.
- `croissant.json`: the same facts and the fields of the tables, for programs.
- `zenodo.json`: a description without sound, for a DOI.
- {licence}: the licence, and the share of each source.
- `checksums.sha256`: check a copy with `sha256sum --check checksums.sha256`."""


def _counts(about: About, summary: Summary) -> str:
    tables = [_table("Split", summary.splits), _split_shares(about.figures)]
    if len(summary.languages) > 1:
        tables.append(_table("Language", dict(sorted(summary.languages.items()))))
    if len(summary.wake_words) > 1:
        tables.append(_table("Wake word", dict(sorted(summary.wake_words.items()))))
    if summary.labels:
        tables.append(_tally("Answer", summary.labels))
    if summary.left_out:
        tables.append(
            "Clips of the release that this format cannot hold:\n\n" + _tally("Reason", summary.left_out)
        )
    if len(about.subsets) > 1:
        tables.insert(0, _subsets(about))
    return paragraphs(*tables)


def _subsets(about: About) -> str:
    rows = [(each.name, each.kind, each.language, each.wake_word or "-") for each in about.subsets]
    return "One folder for each question:\n\n" + grid(("Folder", "Kind", "Language", "Wake word"), rows)


def _split_shares(figures: Mapping[str, Any]) -> str:
    targets, reached = figures.get("split_targets", {}), figures.get("split_shares", {})
    rows = [(split, share(targets[split]), share(reached.get(split, 0.0))) for split in targets]
    told = "Shares of the recorded time. Speakers are never divided, so a split can miss its share:\n\n"
    return told + grid(("Split", "Aimed at", "Reached"), rows) if rows else ""


def _table(head: str, subtotals: Mapping[str, Subtotal]) -> str:
    return grid(
        (head, "Clips", "Speakers", "Duration"),
        ((inline(name), s.clips, len(s.speakers), duration(s.seconds)) for name, s in subtotals.items()),
    )


def _tally(head: str, counts: Mapping[str, int]) -> str:
    return grid((head, "Clips"), ((inline(name), count) for name, count in sorted(counts.items())))


def _creation(about: About) -> str:
    sources = [_source(origin, about) for origin in statements.by_size(about.origins)]
    head = ("Source", "Licence", "Clips", "Share", "Speakers", "Duration")
    return paragraphs(
        "## Dataset Creation\n\n### Curation Rationale\n\n"
        "Clips that may be shared with this audience and whose label is certain enough.",
        *map(_campaign, about.campaigns),
        "### Data Collection and Processing",
        bullets(statements.how_recorded(about)),
        statements.processing(),
        grid(head, sources) if sources else "",
    )


def _source(origin: Origin, about: About) -> tuple[object, ...]:
    clips = sum(each.clips for each in about.origins)
    named = f"{origin.source}: {origin.collection}" if origin.collection else origin.source
    licence = _linked(origin.licence) if origin.licence else statements.NOT_STATED
    length = duration(origin.seconds)
    return (named, licence, origin.clips, share(origin.clips, clips), origin.speakers, length)


def _campaign(campaign: CampaignFacts) -> str:
    """One question that was asked, with its rules and its guidelines."""
    asked = f"wake word “{campaign.wake_word}”" if campaign.wake_word else campaign.kind
    sentences = [f"Campaign “{campaign.title}”: {asked}, in {campaign.language}."]
    if campaign.question:
        sentences.append(f"Volunteers were asked: {campaign.question}")
    if campaign.max_annotations:
        sentences.append(
            f"From {campaign.min_annotations} to {campaign.max_annotations} answers for a clip, until the "
            f"label is {campaign.confidence:.0%} certain."
        )
    version = f", version {campaign.guidelines_version}" if campaign.guidelines_version != "" else ""
    guidelines = f"Its guidelines{version}:\n\n{quoted(campaign.guidelines)}" if campaign.guidelines else ""
    return paragraphs(" ".join(sentences), guidelines)


def _annotations(about: About, summary: Summary) -> str:
    missing = statements.left_out(about.figures)
    told = "Clips of the campaigns that are not in the release:\n\n"
    return paragraphs(
        "### Annotations",
        "\n\n".join(statements.annotation(about, summary)),
        bullets(statements.measured(about.figures)),
        _single_votes(about),
        "#### Who the annotators are\n\n" + statements.WHO_ANNOTATES,
        f"#### What was left out\n\n{told}{_tally('Reason', missing)}" if missing else "",
    )


def _single_votes(about: About) -> str:
    said = statements.single_votes(about)
    return paragraphs("#### Single votes", *said) if said else ""


def _personal(about: About) -> str:
    return paragraphs(
        "### Personal and Sensitive Information",
        privacy.personal(about),
        *privacy.withdrawal(about),
        privacy.checksums(about),
        "#### Disguise\n\n" + "\n\n".join(privacy.DISGUISE) if about.is_disguised else "",
        *privacy.small_groups(about.figures),
        _cleared(about),
    )


def _cleared(about: About) -> str:
    """How the clips were checked before publication, and what that misses."""
    told = privacy.cleared(about)
    if told is None:
        return ""
    return paragraphs(
        f"#### Check Before Publication\n\n{told.looked_for}", bullets(told.counts), *told.means
    )


def _limitations(about: About) -> str:
    return "## Bias, Risks, and Limitations\n\n" + "\n\n".join(statements.limitations(about))
