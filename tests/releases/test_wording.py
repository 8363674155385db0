"""Every refusal of this room has its sentence."""

from itertools import chain

from datasets.releases.formats.folder import FolderRefusal
from datasets.releases.formats.rows import FormatRefusal
from datasets.releases.freezing import ReleaseRefusal
from datasets.releases.groups import GroupRefusal
from datasets.releases.pinning import LicenceRefusal
from datasets.releases.versions import VersionRefusal
from datasets.releases.wording import WORDS

OF = (ReleaseRefusal, FormatRefusal, FolderRefusal, GroupRefusal, LicenceRefusal, VersionRefusal)
CODES = list(chain(*OF))


def test_every_code_has_words():
    assert set(CODES) == WORDS.keys()


def test_no_code_means_two_things():
    assert len(set(map(str, CODES))) == len(CODES)
