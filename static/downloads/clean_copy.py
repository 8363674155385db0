"""Remove withdrawn clips from a copy of a release, and check the rest: python clean_copy.py FOLDER

Needs only Python 3.9, and pyarrow if clips must be taken out of Parquet files. Removes the files, rows and
packed sounds of all clips in the release's signed recall feed, and of those that came as silence or blanks
because they were withdrawn after it, and the single votes of volunteers in the feed. Compares the rest with
checksums.sha256. Killed, it finishes when it is run again. Run it after each download and before each
training. Exit code 0: clean and complete.
"""

import argparse
import base64
import hashlib
import io
import json
import mmap
import re
import tarfile
from contextlib import suppress
from pathlib import Path
from urllib import parse, request

try:
    import pyarrow
    import pyarrow.parquet
except ImportError:  # needed only to rewrite Parquet files
    pyarrow = None

P, Q = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493  # of Ed25519: RFC 8032
D, ID = -121665 * pow(121666, -1, P) % P, re.compile(b"[0-9A-Za-z]+")
SUMS, LABELS, ROW = "checksums.sha256", "soft-labels.jsonl", re.compile(rb'"id": "(\w+)"')
BLANK = b'"soft": {"blank": "'  # in a row of LABELS whose words were withdrawn
DRAFT, CHUNK, TAR_BLOCK = ".cleaning", 1 << 20, 512
UNREADABLE = tarfile.TarError, ValueError
BEGUN = "begun" + DRAFT  # the ids that a run takes out, and the checksums that files get
NEEDS_PYARROW = "has withdrawn clips: pip install pyarrow and run this again, or download it again"
AS_OF = re.compile(rb"As of the feed of (\S+)\n")  # in LICENSE.txt: the newest feed that the copy follows


def add(a, b):
    t = D * a[0] * b[0] * a[1] * b[1] % P
    x, y = (a[0] * b[1] + a[1] * b[0]) * pow(1 + t, -1, P), (a[1] * b[1] + a[0] * b[0]) * pow(1 - t, -1, P)
    return x % P, y % P


def times(n, point):
    return add(times(n // 2, add(point, point)), point if n % 2 else (0, 1)) if n else (0, 1)


def point(data):
    y, odd = int.from_bytes(data, "little") % 2**255, data[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * pow(2, (P - 1) // 4, P) % P
    if y >= P or x * x % P != square or (odd and not x):
        raise ValueError("a signature or its key is not a point of the curve")
    return (x if x % 2 == odd else P - x), y


def is_signed(key, message, signature):
    s = int.from_bytes(signature[32:], "little")
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % Q
    base, fits = point((4 * pow(5, -1, P) % P).to_bytes(32, "little")), (len(key), len(signature)) == (32, 64)
    return fits and s < Q and times(s, base) == add(point(signature[:32]), times(h, point(key)))


def withdrawn(folder, feed, key):
    """The ids of clips and volunteers in the feed, and its day as LICENSE.txt names it.

    Raises ValueError unless the feed is for this release, signed by its site, and not older than the copy.
    """
    licence = (folder / "LICENSE.txt").read_bytes()
    url, release = re.findall(r"Withdrawn clips: (\S+/([\w-]+)\.json)", licence.decode())[0]
    feed = feed if "://" in feed else Path(feed).resolve().as_uri() if feed else url
    key_url = parse.urljoin(url if feed.startswith("file:") else feed, "/receipts/key/")
    key = base64.b64decode(key or json.load(request.urlopen(key_url, timeout=60))["public_key"])
    doc = json.load(request.urlopen(feed, timeout=60))
    signature, day = base64.b64decode(doc.pop("signature")), doc["published_at"].encode()
    names = "recalled", "returned", "annotators"
    gone, back, people = ({i.encode() for i in doc.get(name, [])} for name in names)
    text = json.dumps(doc, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    are_ids = all(map(ID.fullmatch, gone | people))
    if not (doc["release"] == release and is_signed(key, text, signature) and are_ids):
        raise ValueError(f"{feed} is not the recall feed of {release}, signed by its site")
    # An older feed may recall clips that are good again.
    if day < max(AS_OF.findall(licence), default=b""):
        raise ValueError(f"{feed} is of {day.decode()}, older than the feed that this copy follows")
    print(f"{release}: {len(gone)} clips withdrawn by {day.decode()}")
    if back:
        print(f"{len(back)} are good again: to have those that this copy lacks, download the release again")
    if people:
        print(f"{len(people)} volunteers took back their single votes")
    return gone | people, b"As of the feed of %s\n" % day if gone or back or people else b""


def is_silent(file):
    """Whether an open WAV has samples, all of which are 0."""
    data = file.read(4096)  # enough, nearly always, to find a sound
    size = int.from_bytes(data[40:44], "little")
    if data[:4] == b"RIFF" and data.count(b"\0", 44, 44 + size) == min(size, len(data) - 44) > 0:
        data += file.read()
    return data[:4] == b"RIFF" and data.count(b"\0", 44, 44 + size) == size > 0


def chunks(file):
    return iter(lambda: file.read(CHUNK), b"")


def sha256(path):
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for data in chunks(file):
            digest.update(data)
    return digest.hexdigest()


def draft_of(path):
    return path.with_name(path.name + DRAFT)


def silent(folder, listed):
    """The ids of clips that came as silence or blanks.

    A WAV of its own that was silent when it was published has the checksum that it had then. A pack has the
    checksum of the bytes that were sent, so every silent sound in a pack counts as withdrawn.
    """
    rows = set()
    with (folder / LABELS).open("rb") as lines:
        for line in lines:
            rows.update(ROW.findall(line))
            if BLANK in line:
                yield from ROW.findall(line)
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.suffix == ".wav" and path.is_file():
            with path.open("rb") as file:
                is_withdrawn = is_silent(file) and listed.get(name) != sha256(path)
            if is_withdrawn:
                yield from rows.intersection(ID.findall(name.encode()))
        elif path.suffix in (".tar", ".parquet") and name in listed:
            packed = packed_in_tar if path.suffix == ".tar" else packed_in_parquet
            with suppress(*UNREADABLE):  # `clean` reads it again, and names it
                yield from [each for each, sound in packed(path) if is_silent(sound)]


def packed_in_tar(path):
    """The id of each sound in a tar, and the sound as a file."""
    with tarfile.open(path, "r:") as tar:
        for member in tar:
            tar.members = []  # else it keeps every header
            if member.name.endswith(".wav"):
                yield Path(member.name).stem.encode(), tar.extractfile(member)


def packed_in_parquet(path):
    """The same of a Parquet file; nothing without pyarrow."""
    if pyarrow:
        with pyarrow.parquet.ParquetFile(path) as table:
            if "audio" in table.schema_arrow.names:
                for rows in table.iter_batches(100, columns=["id", "audio"]):
                    for row in rows.to_pylist():
                        yield row["id"].encode(), io.BytesIO(row["audio"]["bytes"])


def is_gone(gone, data):
    return not gone.isdisjoint(ID.findall(data))


def lines(path, gone):
    """Each line of a table or text, and what stays of it."""
    with path.open("rb") as file:
        for line in file:
            yield line, b"" if is_gone(gone, line) else line


def speakers(path, gone):
    """The same of Kaldi's spk2utt, whose lines name a speaker and all their clips."""
    with path.open("rb") as file:
        for line in file:
            stays = [word for word in line.split()[1:] if not is_gone(gone, word)]
            rest = b" ".join([*line.split()[:1], *stays]) + b"\n" if stays else b""
            yield line, rest if is_gone(gone, line) else line


def licence(path, as_of):
    """The same of LICENSE.txt, which names the feed that the copy follows."""
    data = path.read_bytes()
    yield data, AS_OF.sub(b"", data) + as_of if as_of not in data else data


def members(path, gone):
    """Each file of a tar with its headers and padding, and what stays of it; at last the tar's end."""
    with tarfile.open(path, "r:") as tar, path.open("rb") as file:
        for member in tar:
            tar.members = []
            end = member.offset_data + -(-member.size // TAR_BLOCK) * TAR_BLOCK
            data = file.read(end - file.tell())
            yield data, b"" if is_gone(gone, member.name.encode()) else data
        for data in chunks(file):
            yield data, data


def whole(path):
    with path.open("rb") as file:
        for data in chunks(file):
            yield data, data


def pieces(path, name, gone, as_of):
    """A file piece by piece, each with what stays of it."""
    if name == "LICENSE.txt":
        return licence(path, as_of)
    if path.suffix == ".tar":
        return members(path, gone)
    if path.name == "spk2utt":
        return speakers(path, gone)
    with path.open("rb") as file:
        is_text = b"\0" not in file.read(4096)
    return lines(path, gone) if is_text and path.suffix != ".wav" else whole(path)


def rewrite(path, name, gone, as_of):
    """Write what stays of a file to its draft if something goes. The checksums of the file and of the rest.

    Raises one of UNREADABLE.
    """
    if path.suffix == ".parquet":
        return rewrite_parquet(path, gone)
    before, after = hashlib.sha256(), hashlib.sha256()
    for data, rest in pieces(path, name, gone, as_of):
        before.update(data)
        after.update(rest)
    if before.digest() != after.digest():
        with draft_of(path).open("wb") as draft:
            for _data, rest in pieces(path, name, gone, as_of):
                draft.write(rest)
    return before.hexdigest(), after.hexdigest()


def rewrite_parquet(path, gone):
    """Without pyarrow it only looks for ids, which are in the file as they are, and for silent sounds.

    Raises ValueError if something must go and pyarrow is not there.
    """
    before = sha256(path)
    if not pyarrow:
        if has_withdrawn(path, gone):
            raise ValueError(NEEDS_PYARROW)
        return before, before
    with pyarrow.parquet.ParquetFile(path) as table:
        if "id" not in table.schema_arrow.names:
            raise ValueError("has no column id")
        groups = range(table.num_row_groups)
        named = [name for name in ("id", "annotator") if name in table.schema_arrow.names]
        ids = [table.read_row_group(group, columns=named).to_pylist() for group in groups]
        stays = [[gone.isdisjoint(i.encode() for i in row.values()) for row in group] for group in ids]
        if all(map(all, stays)):
            return before, before
        layout = {"compression": "NONE", "use_dictionary": False, "write_statistics": False}
        with pyarrow.parquet.ParquetWriter(draft_of(path), table.schema_arrow, **layout) as draft:
            for group in groups:
                if any(stays[group]):
                    draft.write_table(table.read_row_group(group).filter(pyarrow.array(stays[group])))
    return before, sha256(draft_of(path))


def has_withdrawn(path, gone):
    """Whether a Parquet file names one of these ids, or has a silent sound."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        named = re.findall(b"[0-9A-Za-z]{%d,}" % min(map(len, gone), default=8), data)
        if not gone.isdisjoint(named):
            return True
        at = data.find(b"RIFF")
        while at >= 0:
            if is_silent(io.BytesIO(data[at : at + 8 + int.from_bytes(data[at + 4 : at + 8], "little")])):
                return True
            at = data.find(b"RIFF", at + 4)
    return False


def replace(path, data):
    """Write a file whole or not at all."""
    with draft_of(path).open("wb") as draft:
        draft.write(data)
    draft_of(path).replace(path)


def clean(folder, gone, as_of):
    """Remove all of these clips; return what is wrong with the rest.

    What goes is written down first, so that the next run finishes one that was killed, whatever it finds.
    """
    journal, sums, begun = folder / BEGUN, folder / SUMS, {"gone": [], "sums": {}}
    if journal.is_file():
        begun = json.loads(journal.read_text("utf-8"))
    remove_drafts(folder)
    listed = {line[66:]: line[:64] for line in sums.read_text("utf-8").splitlines()}
    since = ({each.encode() for each in begun["gone"]} | set(silent(folder, listed))) - gone
    if since:
        print(f"{len(since)} more were withdrawn or reported since: they came as silence or blanks")
        gone = gone | since
    stays = {name: sha for name, sha in listed.items() if not is_gone(gone, name.encode())}
    wrong = [f"missing: {name}" for name in stays if not (folder / name).is_file()]
    found = sorted(path for path in folder.rglob("*") if path.is_file() and path not in (sums, journal))
    files = {path.relative_to(folder).as_posix(): path for path in found}
    goes = [files.pop(name) for name in list(files) if is_gone(gone, name.encode())]
    changed = []
    try:
        for name, path in files.items():
            try:
                before, after = rewrite(path, name, gone, as_of)
            except UNREADABLE as error:
                wrong.append(f"cannot be cleaned: {name}: {error}")
                continue
            if {before, after}.isdisjoint([stays.get(name), *begun["sums"].get(name, [])]):
                wrong.append(f"{'changed' if name in stays else 'extra'}: {name}")
            elif name in stays:
                stays[name] = after
                begun["sums"].setdefault(name, []).append(after)
            if before != after:
                changed.append(path)
        if changed or goes:
            begun["gone"] = sorted(each.decode() for each in gone)
            replace(journal, json.dumps(begun).encode())
    except BaseException:
        remove_drafts(folder)
        raise
    for path in changed:
        draft_of(path).replace(path)
    for path in goes:
        path.unlink()
    if stays != listed:
        replace(sums, "".join(f"{sha}  {name}\n" for name, sha in stays.items()).encode())
    if journal.is_file():
        journal.unlink()
    return wrong


def remove_drafts(folder):
    for path in folder.rglob("*" + DRAFT):
        if path != folder / BEGUN:
            path.unlink()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("folder", "--feed", "--key"):
        parser.add_argument(name, default="")
    given = parser.parse_args()
    try:
        wrong = clean(Path(given.folder), *withdrawn(Path(given.folder), given.feed, given.key))
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        wrong = [f"not cleaned: {error}"]
    raise SystemExit("\n".join(wrong) or None)
