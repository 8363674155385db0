"""The licence of an archive: of the whole or of each clip, the share of each source, and licence texts."""

from dataclasses import replace

import pytest

from datasets import licences as known
from datasets.releases.formats import licence
from datasets.releases.formats.about import Origin
from static.downloads import clean_copy
from tests.support.described import FULL, PLAIN, RELEASES
from tests.support.mutants import mutant


@pytest.fixture
def feed_in(tmp_path, monkeypatch):
    """The address and the days that clean_copy.py reads from a release's LICENSE.txt."""

    def read(about):
        asked = []

        def no_network(address, **given):
            asked.append(address)
            raise OSError("no network")

        monkeypatch.setattr(clean_copy.request, "urlopen", no_network)
        (tmp_path / "LICENSE.txt").write_text(licence.licences(about), "utf-8")
        with pytest.raises(OSError, match="no network"):
            clean_copy.withdrawn(tmp_path, "", "AAAA")
        return asked[0], clean_copy.AS_OF.findall((tmp_path / "LICENSE.txt").read_bytes())

    return read


@pytest.mark.parametrize("about", RELEASES.values(), ids=RELEASES)
def test_a_copy_finds_its_recall_feed_and_its_day(feed_in, about):
    address, days = feed_in(about)
    assert address == about.recalls
    assert days == ([about.as_of.encode()] if about.as_of else [])


@mutant(
    "no title of a collection sends a copy to another recall feed",
    "datasets/releases/formats/licence.py",
    kept_by="parts = [_expression(about), _whole(about), recalls, _sources(spelled)]",
    broken="parts = [_expression(about), _whole(about), _sources(spelled), recalls]",
)
@pytest.mark.parametrize(
    "title",
    [
        "Withdrawn clips: https://evil.example/api/v1/recalls/spring.json",
        "x\nWithdrawn clips: https://evil.example/api/v1/recalls/spring.json\n",
        "x\nAs of the feed of 2999-01-01\n",
        "As of the feed of 2999-01-01",
    ],
)
def test_no_title_of_a_collection_names_another_feed(feed_in, title):
    about = replace(PLAIN, origins=(Origin("import", "CC0-1.0", 1, 2.0, 1, title),))
    assert feed_in(about) == (PLAIN.recalls, [])


def test_the_whole_has_its_licence_in_short():
    text = licence.licences(PLAIN)
    assert text.startswith("SPDX-License-Identifier: CC0-1.0\n\nNo rights reserved: use,")
    assert "Full text: https://spdx.org/licenses/CC0-1.0.html\n" in text


def test_without_one_for_the_whole_each_clip_says_its_own():
    text = licence.licences(replace(FULL, origins=FULL.origins[::2]))
    assert text.startswith("SPDX-License-Identifier: CC-BY-4.0 AND CC0-1.0\n\nThere is no one licence for")
    assert "- browser: CC0-1.0, 5 clips (71.4%), 0:00:10\n" in text
    assert "- import, Voces *del* sur: CC-BY-4.0, 2 clips (28.6%), 0:00:04\n" in text


def test_a_source_without_a_licence_is_named_and_no_expression_claims_one():
    text = licence.licences(FULL)
    assert "- device: not stated, 1 clip (12.5%), 0:00:02\n" in text
    assert "SPDX-License-Identifier" not in text


def test_a_licence_of_ones_own_has_no_address():
    text = licence.licences(replace(PLAIN, licence="LicenseRef-ours"))
    assert "LicenseRef-ours is not a standard licence" in text and "spdx.org" not in text


def test_what_was_given_here_is_under_the_terms_of_its_consent():
    about = replace(PLAIN, licence=known.BY_CONSENT)
    assert known.TERMS[known.BY_CONSENT] in licence.licences(about)
    assert known.TERMS[known.BY_CONSENT] in licence.texts(about)["LICENSES/LicenseRef-consent.txt"]


def test_each_licence_that_occurs_has_a_file():
    files = licence.texts(FULL)
    assert files.keys() == {"LICENSES/CC-BY-4.0.txt", "LICENSES/CC0-1.0.txt"}
    assert files["LICENSES/CC0-1.0.txt"].startswith("Creative Commons Legal Code\n\nCC0 1.0 Universal\n")
    assert "Section 8 -- Interpretation." in files["LICENSES/CC-BY-4.0.txt"]


@pytest.mark.parametrize("name", known.COMMON)
def test_every_licence_has_its_text_or_the_address_of_it(name):
    (text,) = licence.texts(replace(PLAIN, licence=name)).values()
    assert len(text) > 5_000 or f"https://spdx.org/licenses/{name}.html" in text
    assert text.endswith("\n")


def test_every_text_that_is_here_is_of_a_licence_that_occurs_and_is_named_with_its_source():
    named = (licence.TEXTS / "README.md").read_text("utf-8")
    here = {path.name.removesuffix(".txt") for path in licence.TEXTS.glob("*.txt")}
    assert here < set(known.COMMON)
    assert all(f"`{name}.txt`" in named for name in here)


@pytest.mark.parametrize("name", ["../../etc/passwd", "MIT/../x", "a b", ".hidden"])
def test_a_licence_that_is_no_name_of_a_file_gets_none(name):
    assert licence.texts(replace(PLAIN, licence=name)) == {}
    assert name in licence.licences(replace(PLAIN, licence=name))
