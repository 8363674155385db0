"""The dataset card: the hub takes its head, no title breaks it, and it says what is true for the release."""

import re
from dataclasses import replace

import pytest
import yaml
from huggingface_hub import DatasetCard
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from datasets import licences
from datasets.releases.formats import card, card_head
from datasets.releases.formats.about import CampaignFacts, Origin, Subset
from datasets.releases.formats.markdown import one_line
from tests.support.described import CLEARING, FULL, PLAIN, RELEASES, Form, summary
from tests.support.mutants import mutant

# What the hub takes, of https://huggingface.co/docs/hub/repositories-licenses and of its lists of tasks.
HUB_LICENCES = {
    *("apache-2.0", "cc-by-3.0", "cc-by-4.0", "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nc-nd-4.0"),
    *("cc-by-nc-sa-4.0", "cc-by-nd-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc0-1.0", "cdla-permissive-2.0"),
    *("cdla-sharing-1.0", "mit", "odbl", "odc-by", "other", "pddl"),
}
HUB_CREATORS = {"crowdsourced", "found", "expert-generated", "machine-generated", "no-annotation", "other"}
HUB_SIZES = ["n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "100M<n<1B"]
HUB_TASKS = {"audio-classification", "automatic-speech-recognition", "text-classification"}
HUB_SUBTASKS = {"keyword-spotting", "intent-classification"}


def readme(about=PLAIN, counts=None, form=Form):
    return card.readme(about, counts or summary(clips=4), form)


def head(*args, **given):
    return yaml.safe_load(readme(*args, **given).split("\n---\n")[0].removeprefix("---\n"))


def check_head(fields):
    """The rules of the hub's own validator, which is an address on the network."""
    assert fields["license"] in HUB_LICENCES
    if fields["license"] == "other":
        assert re.fullmatch(r"[a-z0-9.-]+", fields["license_name"])
        assert re.match(r"https://", fields["license_link"])
    assert all(re.fullmatch(r"[a-z]{2,3}", code) for code in fields.get("language", []))
    assert set(fields["annotations_creators"]) | set(fields["language_creators"]) <= HUB_CREATORS
    assert set(fields["size_categories"]) < set(HUB_SIZES)
    assert set(fields["multilinguality"]) < {"monolingual", "multilingual"}
    assert set(fields["source_datasets"]) <= {"original", "extended"}
    assert set(fields.get("task_categories", [])) <= HUB_TASKS
    assert set(fields.get("task_ids", [])) <= HUB_SUBTASKS
    assert all(isinstance(tag, str) for tag in fields["tags"])


@pytest.mark.parametrize("about", RELEASES.values(), ids=RELEASES)
@pytest.mark.parametrize("clips", [0, 1, 4])
def test_the_hub_takes_the_head(about, clips):
    parsed = DatasetCard(readme(about, summary(("no", "es-MX"), clips)))
    check_head(parsed.data.to_dict())
    assert parsed.data.pretty_name.startswith(one_line(about.title))
    assert parsed.text.lstrip().startswith("# ")


def test_every_licence_that_an_import_can_have_is_one_that_the_hub_knows():
    assert set(licences.COMMON) == set(card_head.HUB_LICENCES)
    assert set(card_head.HUB_LICENCES.values()) < HUB_LICENCES


@pytest.mark.parametrize(
    ("clips", "size"), [(0, 0), (999, 0), (1_000, 1), (10_000, 2), (10**6, 4), (10**7, 5), (10**9, 6)]
)
def test_the_size_is_one_of_the_hubs(clips, size):
    assert card_head.size_category(clips) == HUB_SIZES[size]


def test_languages_longer_than_the_hub_takes_stand_beside_it():
    fields = head(counts=summary(("es-MX", "no", "zh-Hant-TW"), 3))
    assert fields["language"] == ["es", "no", "zh"]
    assert fields["language_bcp47"] == ["es-MX", "zh-Hant-TW"]
    assert fields["multilinguality"] == ["multilingual"]


def test_each_kind_of_question_has_its_task():
    subsets = tuple(Subset(kind, kind, "en") for kind in ("wake-word", "transcription", "intent"))
    fields = head(replace(PLAIN, subsets=subsets), summary())
    assert fields["task_categories"] == [
        "audio-classification",
        "automatic-speech-recognition",
        "text-classification",
    ]
    assert fields["task_ids"] == ["keyword-spotting", "intent-classification"]


def test_without_subsets_the_kinds_are_those_of_the_clips():
    assert head(counts=summary(clips=4))["task_categories"] == ["automatic-speech-recognition"]
    assert head(counts=summary(clips=4, wake_word="hey"))["task_categories"] == ["audio-classification"]


def test_a_format_gives_the_hub_its_configurations():
    configs = [
        {
            "config_name": "hey-mycroft-en",
            "default": True,
            "data_files": [
                {"split": "train", "path": "hey-mycroft-en/train-*.parquet"},
                {"split": "test", "path": ["a.parquet", "b.parquet"]},
            ],
        },
        {"config_name": "no", "data_files": [{"split": "train", "path": "no/*"}]},
    ]
    info = {"features": [{"name": "audio", "dtype": {"audio": {"sampling_rate": 16000}}}], "splits": []}

    class Hub(Form):
        @staticmethod
        def hub_configs(about, summary):
            return configs

        @staticmethod
        def dataset_info(about, summary):
            return info

    fields = head(form=Hub)
    assert fields["configs"] == configs
    assert fields["dataset_info"]["features"] == info["features"]


ODD = st.text(max_size=40) | st.text("<>&#|`*_[]()!\\\"'-:{}%@\n\r\t \u2028\x85\x1b\u202e🦜é", max_size=40)


@given(ODD)
def test_no_title_reaches_into_the_head(title):
    fields = head(replace(PLAIN, title=title))
    assert fields["pretty_name"] == one_line(title) if one_line(title) else "pretty_name" not in fields
    assert fields["license"] == "cc0-1.0"


@given(ODD)
def test_no_title_is_markdown(title):
    body = readme(replace(PLAIN, title=title)).split("\n---\n", 1)[1]
    tokens = MarkdownIt("commonmark").enable("table").parse(body)
    first = tokens[tokens.index(next(each for each in tokens if each.type == "heading_open")) + 1]
    assert "".join(each.content for each in first.children) == one_line(title).strip()
    assert {each.type for each in first.children} <= {"text", "text_special"}
    assert not [each for each in tokens if each.type == "html_block"]


@pytest.mark.parametrize(
    "typed",
    [
        "a | b",
        "x\n| 1 | 2 |",
        "<script>alert(1)</script>",
        "](https://evil.example)",
        "\n---\nlicense: mit\n---",
    ],
)
def test_what_people_typed_is_no_markup_anywhere(typed):
    about = replace(
        FULL,
        title=typed,
        notes=typed,
        contact=typed,
        operator=typed,
        campaigns=(CampaignFacts(typed, "wake-word", "en", typed, typed, typed, 1, 1, 2, 0.5, typed),),
        subsets=tuple(Subset(typed, "wake-word", "en", typed) for _ in range(2)),
        origins=(Origin("import", "MIT", 1, 1.0, 1, typed),),
    )
    text = readme(about, summary(clips=2, wake_word=typed))
    rendered = MarkdownIt("commonmark").enable("table").render(text.split("\n---\n", 1)[1])
    assert "<script" not in rendered and 'evil.example"' not in rendered
    assert yaml.safe_load(text.split("\n---\n")[0].removeprefix("---\n"))["license"] == "other"
    rows = [line for line in text.splitlines() if line.startswith("| import")]
    assert [len(re.findall(r"(?<!\\)\|", row)) for row in rows] == [7]


SECTIONS = [
    "Dataset Details",
    "Uses",
    "Dataset Structure",
    "Dataset Creation",
    "Bias, Risks, and Limitations",
    "Changes",
    "Maintenance",
    "Citation",
    "Contact",
]


@pytest.mark.parametrize("about", RELEASES.values(), ids=RELEASES)
def test_it_has_every_section_of_the_hubs_template(about):
    text = readme(about)
    assert re.findall("^## (.*)$", text, re.M) == SECTIONS
    for part in (
        "Direct Use",
        "Out-of-Scope Use",
        "Curation Rationale",
        "Data Collection and Processing",
        "Annotations",
        "Personal and Sensitive Information",
    ):
        assert f"\n### {part}\n" in text


def test_it_says_how_good_the_labels_are():
    text = readme(FULL)
    for sentence in (
        "12 volunteers gave 1,340 answers, 2.5 for a clip on average.",
        "Krippendorff's alpha of their answers is 0.81",
        "1.3% of them are expected to be wrong (95 % interval 1.0% to 2.0%).",
        "A reviewer decided 1 clip.",
        "| volunteers had not agreed yet | 4 |",
        "| test | 10.0% | 20.0% |",
        "From 2 to 7 answers for a clip, until the label is 75% certain.",
        "Its guidelines, version 3:\n\n> Listen twice.",
        "The machines: Ear 2.",
    ):
        assert sentence in text


def test_what_was_not_measured_is_said_to_be_unknown():
    assert "No statistics of its labels were kept" in readme(PLAIN)
    text = readme(
        replace(PLAIN, figures={"annotators": 1, "votes": 2, "alpha": None, "expected_error": None})
    )
    assert "1 volunteer gave 2 answers.\n" in text
    assert "How well volunteers agree was not measured." in text
    assert "How many labels are wrong was not estimated." in text


def test_each_source_has_its_share_its_licence_and_how_it_was_recorded():
    text = readme(FULL)
    spdx = "https://spdx.org/licenses"
    assert f"| browser | [CC0-1.0]({spdx}/CC0-1.0.html) | 5 | 62.5% | 3 | 0:00:10 |" in text
    assert (
        f"| import: Voces \\*del\\* sur | [CC-BY-4.0]({spdx}/CC-BY-4.0.html) | 2 | 25.0% | 2 | 0:00:04 |"
        in text
    )
    assert "| device | not stated | 1 | 12.5% | 1 | 0:00:02 |" in text
    assert "Taken over from the collection “Voces \\*del\\* sur”, which was recorded elsewhere" in text


@pytest.mark.parametrize(
    ("source", "says", "says_not"),
    [
        ("browser", "Recorded in the browser", "linked to an account"),
        ("device", "Sent by voice assistants", "in the browser"),
        ("import", "recorded elsewhere", "agreed on this site"),
    ],
)
def test_a_release_of_one_source_says_nothing_of_the_others(source, says, says_not):
    text = readme(replace(PLAIN, origins=(Origin(source, "CC0-1.0", 4, 8.0, 2, "Old"),)))
    assert says in text and says_not not in text


def test_an_unknown_source_is_refused():
    with pytest.raises(ValueError, match="radio"):
        Origin("radio", "MIT", 1, 1.0, 1)


@mutant(
    "the card of every archive says how a withdrawn clip is found and deleted",
    "datasets/releases/formats/card.py",
    kept_by="        *privacy.withdrawal(about),\n",
    broken="",
)
@pytest.mark.parametrize("about", RELEASES.values(), ids=RELEASES)
def test_it_says_how_to_honour_a_withdrawal(about):
    text = readme(about)
    assert f"https://tags.example/api/v1/recalls/{about.name}.json" in text
    assert "https://tags.example/static/downloads/clean_copy.py deletes them" in text
    assert "https://tags.example/static/downloads/fetch_release.py" in text
    assert ("at least every 30 days" in text) == (not about.is_public)


@mutant(
    "the card of a disguised release says with how little that protects",
    "datasets/releases/formats/card.py",
    kept_by='"#### Disguise\\n\\n" + "\\n\\n".join(privacy.DISGUISE) if about.is_disguised else "",',
    broken='"",',
)
def test_disguise_is_said_as_disguise_with_what_was_measured():
    said = "Measured: after seven coefficients, 17 of 30 voices were found again."
    assert said in readme(replace(PLAIN, is_disguised=True))
    assert "disguise" not in readme(PLAIN)


@pytest.mark.parametrize("about", RELEASES.values(), ids=RELEASES)
def test_it_never_calls_voices_anonymous(about):
    assert "anonym" not in readme(about).lower()


def test_the_check_before_publication_is_told_with_its_counts():
    text = readme(replace(PLAIN, is_public=True, clearing=CLEARING))
    assert "heard whole by two people" in text
    assert "- clips in which one of them heard something private: 1\n" in text
    assert "missed 1 (5.0%, 95 % interval 1.0% to 24.0%)" in text
    assert "heard whole" not in readme(replace(PLAIN, clearing=CLEARING))
    assert "Check Before Publication" not in readme(PLAIN)


def test_small_groups_and_noise_are_told_if_there_are_any():
    assert "fewer than 3 contributors. Coarsened for that: campaign, source." in readme(FULL)
    assert "Of the other clips the source is not given" in readme(FULL)
    assert "noise (discrete Laplace, epsilon 1)" in readme(FULL)
    assert "epsilon" not in readme(PLAIN)


def test_it_says_what_changed_since_the_version_before():
    text = readme(FULL)
    assert "Compared with spring:\n\n- New: 5 clips\n- Label changed, a reviewer decided: 1 clip\n" in text
    assert "- Label changed, more answers: 2 clips\n- Recalled: 1 clip\n" in text
    assert "- `previous-ids.csv`: the id that each clip had in spring" in text
    assert "This is the first version." in readme(PLAIN) and "previous-ids" not in readme(PLAIN)


def test_an_empty_release_and_one_of_one_speaker_have_cards():
    assert "- Clips: 0, 0:00:00, 0 speakers\n- Language: none\n" in readme(counts=summary())
    assert "- Clips: 3, 0:00:06, 1 speaker\n" in readme(counts=summary(clips=3, speakers=1))


def test_the_same_facts_give_the_same_bytes():
    shuffled = replace(FULL, origins=FULL.origins[::-1], figures=dict(reversed(FULL.figures.items())))
    assert readme(shuffled) == readme(FULL)


def test_a_citation_for_bibtex_is_well_formed():
    cited = card.bibtex(replace(FULL, title="A } b { \\c", operator="{Us}"))
    assert cited.count("{") == cited.count("}")
    assert "  title = {A b c},\n  author = {{Us}},\n  year = {2025},\n  version = {1.2.0},\n" in cited
