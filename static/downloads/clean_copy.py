"""Remove withdrawn clips from a copy of a release, and check the rest: python clean_copy.py FOLDER

Needs only Python 3.9. Removes the files and rows of all clips in the release's signed recall feed, and of
those that came as silence because they were withdrawn after it. Compares the rest with checksums.sha256.
Run it after each download and before each training. Exit code 0: clean and complete.
"""

import argparse
import base64
import hashlib
import json
import re
from pathlib import Path
from urllib import parse, request

P, Q = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493  # of Ed25519: RFC 8032
D, ID = -121665 * pow(121666, -1, P) % P, re.compile(b"[0-9A-Za-z]+")
SUMS, LABELS, ROW = "checksums.sha256", "soft-labels.jsonl", re.compile(rb'"id": "(\w+)"')
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
    """The ids in the feed, and its day as LICENSE.txt names it.

    Raises ValueError unless the feed is for this release, signed by its site, and not older than the copy.
    """
    licence = (folder / "LICENSE.txt").read_bytes()
    url, release = re.findall(r"Withdrawn clips: (\S+/([\w-]+)\.json)", licence.decode())[0]
    feed = feed if "://" in feed else Path(feed).resolve().as_uri() if feed else url
    key_url = parse.urljoin(url if feed.startswith("file:") else feed, "/receipts/key/")
    key = base64.b64decode(key or json.load(request.urlopen(key_url, timeout=60))["public_key"])
    doc = json.load(request.urlopen(feed, timeout=60))
    signature, day = base64.b64decode(doc.pop("signature")), doc["published_at"].encode()
    gone, back = ({i.encode() for i in doc.get(name, [])} for name in ("recalled", "returned"))
    text = json.dumps(doc, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    if not (doc["release"] == release and is_signed(key, text, signature) and all(map(ID.fullmatch, gone))):
        raise ValueError(f"{feed} is not the recall feed of {release}, signed by its site")
    # An older feed may recall clips that are good again.
    if day < max(AS_OF.findall(licence), default=b""):
        raise ValueError(f"{feed} is of {day.decode()}, older than the feed that this copy follows")
    print(f"{release}: {len(gone)} clips withdrawn by {day.decode()}")
    if back:
        print(f"{len(back)} are good again: to have those that this copy lacks, download the release again")
    return gone, b"As of the feed of %s\n" % day if gone or back else b""


def is_silent(path):
    with path.open("rb") as file:
        data = file.read(4096)  # enough, nearly always, to find a sound
        size = int.from_bytes(data[40:44], "little")
        if data.count(b"\0", 44, 44 + size) == min(size, len(data) - 44) > 0:
            data += file.read()
    return data[:4] == b"RIFF" and data.count(b"\0", 44, 44 + size) == size > 0


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def silent(folder, listed):
    """The ids of the clips whose files are silent and have other checksums than they had when published."""
    rows = set(ROW.findall((folder / LABELS).read_bytes()))
    draft = folder / (LABELS + ".cleaning")
    if draft.is_file() and sha256(draft) == listed[LABELS]:  # an earlier run was killed, and took these out
        yield from rows.difference(ROW.findall(draft.read_bytes()))
    for path in folder.rglob("*.wav"):
        name = path.relative_to(folder).as_posix()
        if is_silent(path) and listed.get(name) != sha256(path):
            yield from rows.intersection(ID.findall(name.encode()))


def clean(folder, gone, as_of):
    """Remove the files and rows of these clips; return what is wrong with the rest."""
    listed = {line[66:]: line[:64] for line in (folder / SUMS).read_text("utf-8").splitlines()}
    since = set(silent(folder, listed)) - gone
    if since:
        print(f"{len(since)} more were withdrawn or reported since: they came as silence")
        gone = gone | since
    stays = {name: sha for name, sha in listed.items() if gone.isdisjoint(ID.findall(name.encode()))}
    wrong = [f"missing: {name}" for name in stays if not (folder / name).is_file()]
    new, goes = {folder / SUMS: b""}, set()
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path not in new):
        name, data = path.relative_to(folder).as_posix(), path.read_bytes()
        lines = data.splitlines(True) if b"\0" not in data else []
        rest = b"".join(line for line in lines if gone.isdisjoint(ID.findall(line))) if lines else data
        rest = AS_OF.sub(b"", rest) + as_of if name == "LICENSE.txt" and as_of else rest
        before, after = hashlib.sha256(data).hexdigest(), hashlib.sha256(rest).hexdigest()
        if name.endswith(".cleaning"):
            path.unlink()
        elif not gone.isdisjoint(ID.findall(name.encode())):
            goes.add(path)
        elif rest != data:
            new[path] = rest
        if stays.get(name) not in (before, after) and path.exists() and path not in goes:
            wrong.append(f"{'changed' if name in stays else 'extra'}: {name}")
        elif path.suffix == ".parquet" and gone:
            wrong.append(f"cannot be cleaned, download it again: {name}")
        elif name in stays:
            stays[name] = after
    new[folder / SUMS] = "".join(f"{sha}  {name}\n" for name, sha in stays.items()).encode()
    for path, data in new.items():
        path.with_name(path.name + ".cleaning").write_bytes(data)
    # The checksums first and the labels last: killed in between, the next run sees what was to be taken out.
    labels = [path for path in new if path == folder / LABELS]
    for path in [*(path for path in new if path not in labels), *goes, *labels]:
        path.unlink() if path in goes else path.with_name(path.name + ".cleaning").replace(path)
    return wrong


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
