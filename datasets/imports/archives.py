"""Reads a collection in one of the formats of releases, from a folder or a tar.

An archive of a release, from this site or another, has soft-labels.jsonl: by it labels, speakers and licences
come back as they were, in any format. Without it, what the format itself has is read.
"""

import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path

from datasets.clips import manifests
from datasets.clips.sources import BadSource, FileRefused, ImportItem, ImportRefusal, SourceFault

from . import containers, soft_labels, tables, trees

MOST_STATED = 2**16  # bytes of a document in which a licence is looked for


@dataclass(frozen=True)
class Form:
    """A format: which files are its tables or containers, in words and by a rule, and how to read one."""

    name: str
    wanted: str
    find: Callable[[trees.Tree], list[str]]
    read: Callable[["Archive", str, bool], Iterator[ImportItem]]


class Archive:
    """One collection. Raises BadSource, here and while it is read. To be closed after use."""

    def __init__(self, tree: trees.Tree, form: str = "") -> None:
        """`form` is the name of a format; without it the files tell, which is for archives of releases."""
        self.tree = _unwrapped(tree)
        tree = self.tree
        self.form = FORMS[form] if form else recognised(tree)
        self.files = self.form.find(tree)
        if not self.files:
            raise BadSource(
                SourceFault.NOT_THIS_LAYOUT, path=tree.name, form=self.form.name, wanted=self.form.wanted
            )
        self.licence = soft_labels.stated_licence(self._documents())

    def close(self) -> None:
        self.tree.close()

    @property
    def has_labels(self) -> bool:
        return bool(labels_of(self.tree.others))

    @property
    def holds_sounds(self) -> bool:
        """Whether its recordings are in few files, from which each is to be read; or each is a file."""
        return isinstance(self.tree, trees.Tar) or self.form.name in HOLDING_SOUNDS

    def items(self, asks_for_words: bool, with_sound: bool = True) -> Iterator[ImportItem]:
        """All recordings, each under the archive's licence unless it names one of its own.

        `asks_for_words`: the campaign asks for transcripts, not for labels. Without sound they are only
        counted and checked; of a file that holds several, each is to be read before the next is asked for.
        """
        for item in self._labelled(asks_for_words, with_sound):
            shown = item.name.encode(errors="replace").decode()  # names of files may be no UTF-8
            yield self._bound(replace(item, name=shown, licence=item.licence or self.licence))

    def _labelled(self, asks_for_words: bool, with_sound: bool) -> Iterator[ImportItem]:
        each = (self.form.read(self, name, with_sound) for name in self.files)
        found = map(_inside, chain.from_iterable(each))
        if not self.has_labels:
            yield from found
            return
        labels = self._labels()
        for item in found:
            yield labels.applied(item, asks_for_words)
        yield from labels.unseen()

    def survey(self, asks_for_words: bool) -> "Survey":
        """Read all of it to its end, but no sound."""
        number, names_licence = 0, False
        for item in self.items(asks_for_words, with_sound=False):
            number += 1
            names_licence = names_licence or bool(item.licence)
        return Survey(number, names_licence)

    def licence_beside(self, given: str, survey: "Survey") -> str:
        """The licence of recordings that name none of their own: what the archive says, or what was `given`.

        Raises BadSource if nothing says any, and as `check_licence`.
        """
        self.check_licence(given)
        if not (given or self.licence or survey.names_licence):
            raise BadSource(SourceFault.NO_LICENCE, path=self.tree.name)
        return given or self.licence

    def check_licence(self, given: str) -> None:
        """Raise BadSource if it contradicts what the archive says."""
        if given and self.licence and given != self.licence:
            fault = {"found": self.licence, "given": given}
            raise BadSource(SourceFault.OTHER_LICENCE, path=self.tree.name, **fault)

    def _labels(self) -> soft_labels.SoftLabels:
        names = labels_of(self.tree.others)
        lines = chain.from_iterable(tables.lines(name, self.tree.open) for name in names)
        return soft_labels.SoftLabels(names[0], lines)

    def _bound(self, item: ImportItem) -> ImportItem:
        return item if item.read or item.fault else self.tree.bound(item)

    def _documents(self) -> Iterator[str]:
        for wanted in soft_labels.LICENCE_FILES:
            named = [name for name in self.tree.others if os.path.basename(name) == wanted]
            for name in sorted(named, key=lambda name: name.count("/"))[:1]:
                with self.tree.open(name) as file:
                    yield file.read(MOST_STATED).decode(errors="replace")


@dataclass(frozen=True)
class Survey:
    """How many recordings a collection has, and whether any of them names a licence of its own."""

    number: int
    names_licence: bool


def labels_of(names: Collection[str]) -> list[str]:
    return sorted(name for name in names if os.path.basename(name) == soft_labels.NAME)


def is_archive(source: Path) -> bool:
    """Whether it is to be read as an archive without being told so."""
    return source.suffix.lower() == ".tar" or (source / soft_labels.NAME).is_file()


def opened(source: Path, form: str = "") -> Archive:
    """Raises BadSource."""
    if source.is_dir():
        return Archive(trees.Folder(source), form)
    try:
        file = open(source, "rb")  # noqa: SIM115  (closed with the archive)
    except FileNotFoundError as error:
        raise BadSource(SourceFault.MISSING, path=source) from error
    return Archive(trees.Tar(file, str(source)), form)


def _unwrapped(tree: trees.Tree) -> trees.Tree:
    """The tar of an archive instead, if it is all that there is."""
    if len(tree.others) != 1 or not tree.others[0].endswith(".tar") or next(tree.sounds(), None):
        return tree
    inner = trees.Tar(tree.open(tree.others[0]), tree.others[0])
    return inner if labels_of(inner.others) else tree


def recognised(tree: trees.Tree) -> Form:
    """The format in which its files are. Raises BadSource if there is no recording among them."""
    found = next((form for form in FORMS.values() if form.find(tree)), None)
    return found or FORMS["text"]


def _inside(item: ImportItem) -> ImportItem:
    """With a fault if its path leads out of the collection."""
    path = os.path.normpath(item.path) if item.path else ""
    if item.fault or item.read or (path and not os.path.isabs(path) and not path.startswith("..")):
        return item
    return replace(item, fault=FileRefused(ImportRefusal.OUTSIDE))


def _named(*endings: str) -> Callable[[trees.Tree], list[str]]:
    return lambda tree: sorted(name for name in tree.others if os.path.basename(name).endswith(endings))


def _audiofolder(tree: trees.Tree) -> list[str]:
    """metadata.csv or metadata.jsonl beside the recordings."""
    return [*_with_columns("file_name", names={"metadata.csv"})(tree), *_named("metadata.jsonl")(tree)]


def _parquet(tree: trees.Tree) -> list[str]:
    """Votes and labels without sound may lie beside them."""
    return [name for name in _named(".parquet")(tree) if containers.has_sound(name, tree.open)]


def _no_sound(tree: trees.Tree) -> list[str]:
    raise BadSource(SourceFault.NO_SOUND, path=tree.name)


def _cuts(tree: trees.Tree) -> list[str]:
    named = (os.path.basename(name) for name in tree.others)
    if not any(base.startswith("cuts.") for base in named):
        return []
    return [
        name for name in _named(".jsonl", ".jsonl.gz")(tree) if os.path.basename(name).startswith("cuts.")
    ]


def _manifests(tree: trees.Tree) -> list[str]:
    """NeMo's, which end in manifest.json."""
    return _named("manifest.json", "manifest.jsonl")(tree)


def _with_columns(*columns: str, names: Collection[str] = ()) -> Callable[[trees.Tree], list[str]]:
    """The tables, of these names if any are given, that have one of these columns."""

    def find(tree: trees.Tree) -> list[str]:
        found = [
            name for name in _named(".csv", ".tsv")(tree) if not names or os.path.basename(name) in names
        ]
        return [name for name in found if set(columns) & set(_columns(tree, name))]

    return find


def _columns(tree: trees.Tree, name: str) -> list[str]:
    try:
        return manifests.beginning(_held(tree, name), 0)[0]
    except BadSource:
        return []


def _held(tree: trees.Tree, name: str, fields: tuple[str, ...] | None = None) -> manifests.HeldManifest:
    return manifests.HeldManifest(name, partial(tree.open, name), fields)


VALID, INVALID = "validated.tsv", ("invalidated.tsv", "other.tsv")


def _common_voice(tree: trees.Tree) -> list[str]:
    """validated.tsv has the clips of the three splits, too.

    The sentences of invalidated and other clips are wrong or unchecked: they are of use only where soft
    labels say what is right.
    """
    wanted = {VALID, "train.tsv", "dev.tsv", "test.tsv", *(INVALID if labels_of(tree.others) else ())}
    found = _with_columns("sentence", names=wanted)(tree)
    whole = {os.path.dirname(name) for name in found if os.path.basename(name) == VALID}
    alone = {VALID, *INVALID}
    return [name for name in found if os.path.basename(name) in alone or os.path.dirname(name) not in whole]


def _ljspeech(tree: trees.Tree) -> list[str]:
    """metadata.csv has no names of columns; its recordings are in the folder wavs beside it."""
    return [name for name in _named("metadata.csv")(tree) if _is_ljspeech(tree, name)]


def _is_ljspeech(tree: trees.Tree, name: str) -> bool:
    with tree.open(name) as file:
        first = file.readline(tables.LONGEST_LINE).decode(errors="replace")
    return first.count("|") in (1, 2) and "file_name" not in first


def _folders(tree: trees.Tree) -> list[str]:
    return [""] if any(tables.label_of(str(item.path)) for item in tree.sounds()) else []


def _sounds(tree: trees.Tree) -> list[str]:
    return [""] if next(tree.sounds(), None) else []


def _read_columns(archive: Archive, name: str, with_sound: bool) -> Iterator[ImportItem]:
    """With soft labels, a column that nobody knows is passed over; without, it is refused."""
    held = _held(archive.tree, name)
    if archive.has_labels:
        held = _held(archive.tree, name, tuple(manifests.guessed(_columns(archive.tree, name))))
    for item in manifests.items(held):
        yield replace(item, name=f"{name}, {item.name}", path=_beside(archive.tree, str(item.path), "clips"))


def _beside(tree: trees.Tree, path: str, folder: str) -> str:
    """The path, or that in this folder beside it, where Common Voice keeps its files."""
    there = os.path.join(os.path.dirname(path), folder, os.path.basename(path))
    return there if not tree.has(path) and tree.has(there) else path


def _read_lines(archive: Archive, name: str, with_sound: bool) -> Iterator[ImportItem]:
    """NeMo's manifests and Kaldi's tables, whose paths may begin at the root or be from another machine."""
    form = tables.Layout.KALDI if os.path.basename(name) == "wav.scp" else tables.Layout.NEMO
    for item in tables.items(tables.Reading(form, name), archive.tree.others, archive.tree.open):
        yield replace(item, name=f"{name}: {item.name}", path=_found(archive.tree, name, str(item.path)))


def _read_audiofolder(archive: Archive, name: str, with_sound: bool) -> Iterator[ImportItem]:
    is_table = name.endswith(".csv")
    return (_read_columns if is_table else _read_lines)(archive, name, with_sound)


def _found(tree: trees.Tree, table: str, path: str) -> str:
    """The file that is meant: beside the table, or from a folder above it on, or at the end of this path."""
    folder = os.path.dirname(table)
    said = os.path.relpath(path, folder or ".") if not os.path.isabs(path) else path
    steps, above = os.path.normpath(said).split("/"), folder.split("/")
    from_above = ["/".join([*above[:number], said]) for number in range(len(above), 0, -1)]
    ends = ["/".join(steps[step:]) for step in range(len(steps))]
    return next((each for each in (path, *from_above, *ends) if each and tree.has(each)), path)


def _read_ljspeech(archive: Archive, name: str, with_sound: bool) -> Iterator[ImportItem]:
    """Lines of an id, what is said, and the same written out. A folder holds one speaker."""
    folder = os.path.dirname(name)
    for number, line in tables.lines(name, archive.tree.open):
        identity, bar, rest = line.partition("|")
        if not bar or not identity.strip():
            expected = "id|text|normalised text"
            raise BadSource(SourceFault.BROKEN_LINE, path=name, line=number, expected=expected)
        path = os.path.join(folder, "wavs", f"{identity.strip()}.wav")
        speaker, said = os.path.basename(folder), rest.split("|")[0].strip()
        yield ImportItem(f"{name}, line {number}: {identity}", path, speaker=speaker, transcript=said)


def _read_names(archive: Archive, name: str, with_sound: bool) -> Iterator[ImportItem]:
    """The name of its folder is the label of a recording, if it is one."""
    for item in archive.tree.sounds():
        yield replace(item, truth=tables.label_of(str(item.path)))


def _read_parquet(archive: Archive, name: str, with_sound: bool) -> Iterator[ImportItem]:
    return containers.parquet(name, archive.tree.open, with_sound)


def _read_webdataset(archive: Archive, name: str, with_sound: bool) -> Iterator[ImportItem]:
    return containers.webdataset(name, archive.tree.open)


def _read_shar(archive: Archive, name: str, with_sound: bool) -> Iterator[ImportItem]:
    return containers.shar(name, archive.tree.others, archive.tree.open)


HOLDING_SOUNDS = {"lhotse-shar", "parquet", "webdataset"}

# In the order in which they are recognised: what holds others first, folders and recordings alone last.
FORMS = {
    form.name: form
    for form in (
        Form("lhotse-shar", "cuts.NNNNNN.jsonl", _cuts, _read_shar),
        Form("parquet", ".parquet", _parquet, _read_parquet),
        Form("webdataset", ".tar", _named(".tar"), _read_webdataset),
        Form("kaldi", "wav.scp", _named("wav.scp"), _read_lines),
        Form("nemo", "manifest.json", _manifests, _read_lines),
        Form("common-voice", "validated.tsv", _common_voice, _read_columns),
        Form("deepspeech", "a CSV with wav_filename", _with_columns("wav_filename"), _read_columns),
        Form("hf-audiofolder", "metadata.csv or metadata.jsonl", _audiofolder, _read_audiofolder),
        Form("ljspeech", "metadata.csv and wavs", _ljspeech, _read_ljspeech),
        Form("precise", "folders wake-word and not-wake-word", _folders, _read_names),
        Form("openwakeword", "folders positive and negative", _folders, _read_names),
        Form("microwakeword", "folders positive and negative", _folders, _read_names),
        Form("files", "recordings", _sounds, _read_names),
        Form("parquet-labels", "no recordings", _no_sound, _read_names),
        Form("text", "no recordings", _no_sound, _read_names),
    )
}
