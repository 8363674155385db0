"""Download a release, and keep a copy in step: python fetch_release.py RELEASE --site URL --format FORMAT

Needs only Python 3.9, and clean_copy.py of the same site beside it; if that is missing, it is downloaded.

    python fetch_release.py --site URL --list                    which releases there are
    python fetch_release.py RELEASE --site URL --list            its formats, and how large each is
    python fetch_release.py RELEASE --site URL --format FORMAT   download it into RELEASE-FORMAT, or --to
    ... --update                                                 bring the version before up to this one
    ... --recalls                                                only take out of the copy what was withdrawn

Run again, a download that broke off goes on where it stopped. If clips were withdrawn meanwhile, the archive
is another one: the clips that are here already are kept, and only the rest is downloaded. Of a complete copy,
withdrawn clips are taken out. A copy is there whole and checked, or not at all: until then everything is in a
folder beside it whose name ends in ".partial". A release for researchers needs a token with the scope
"download", from your profile on the site, in TAGGER_TOKEN or --token.

Exit code 0: the copy is complete and clean. 1: it is not, and the last lines say why. 3: your request waits
for a steward; run it again later.
"""

import argparse
import csv
import http.client
import importlib
import json
import os
import re
import shutil
import struct
import sys
import tarfile
import time
from contextlib import suppress
from pathlib import Path, PurePosixPath
from urllib import error, parse, request

HERE = Path(__file__).resolve().parent
CHUNK, TIMEOUT = 1 << 20, 60  # bytes at a time; seconds until a silent server counts as gone
LONGEST_PAUSE = 300  # seconds
TRIES = 25  # without one new byte
OTHERS = 3  # other archives in one run, until it begins anew with nothing
STEP = 1 << 16  # bytes of a first look into an archive that begins in another way than it did
TAR_BLOCK, ID = 512, re.compile("[0-9A-Za-z]+")
SUMS, LABELS, PREVIOUS = "checksums.sha256", "soft-labels.jsonl", "previous-ids.csv"
RELEASE_OF_COPY = re.compile(r"Withdrawn clips: \S+/([\w-]+)\.json")  # in LICENSE.txt
ARCHIVE, MARK = "archive.tar", "etag"  # in the folder of a download that goes on
EARLIER, REUSED = "earlier.tar", "reused"  # what was set aside of another archive; that it was made use of
LABELS_FORMAT = "text"  # labels and words without sound, which need no library to read
BUSY = (429, 503)
OTHER = 412  # the archive is another one by now
CANNOT = 409  # the format cannot hold the release, or no difference from the version before


class Stopped(Exception):
    """Why it cannot go on, for the person who runs it, and the exit code."""

    def __init__(self, why, code=1):
        super().__init__(why)
        self.code = code


class Refused(Stopped):
    """What the site says of a call that it refuses."""

    def __init__(self, answer):
        super().__init__(in_words(answer))
        self.status = answer.code


class Broken(Exception):
    """The connection or the server failed. It may go on later."""


class OtherArchive(Exception):
    """The bytes at hand are of another archive than the one that the site has now."""


class SameSite(request.HTTPRedirectHandler):
    """The token is for one site, so a redirect to another one is not followed."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        if parse.urlsplit(newurl)[:2] != parse.urlsplit(req.full_url)[:2]:
            raise Stopped(f"{req.full_url} leads to another site, {newurl}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class Site:
    """The site's API, as the person of the token."""

    def __init__(self, address, token, pause):
        self.address, self.pause = address.rstrip("/"), pause
        parts = parse.urlsplit(self.address)
        is_local = parts.hostname in ("localhost", "127.0.0.1", "::1")
        if parts.scheme != "https" and not (parts.scheme == "http" and is_local):
            raise Stopped(f"--site {address}: an address that begins with https:// is needed")
        self._headers = {"Authorization": f"Token {token}"} if token else {}
        self._opener = request.build_opener(SameSite)

    def open(self, path, headers=None, method=None, data=None):
        """The answer, once the site is not busy any more. Raises Stopped and OSError, such as HTTPError."""
        headers = {**self._headers, **(headers or {})}
        if data is not None:
            headers["Content-Type"], data = "application/json", json.dumps(data).encode()
        url = parse.urljoin(self.address + "/", path)
        for tried in range(TRIES):
            asked = request.Request(url, data, headers, method=method)
            try:
                return self._opener.open(asked, timeout=TIMEOUT)
            except error.HTTPError as answer:
                if answer.code not in BUSY:
                    raise
                wait = answer.headers.get("Retry-After", "")
                self.wait(int(wait) if wait.isdigit() else self.pause * 2**tried, "The site is busy")
        raise Stopped(f"{url} was busy {TRIES} times. Try again later.")

    def ask(self, path, data=None):
        """The JSON there. Raises Stopped with the site's words."""
        try:
            with self.open(path, data=data) as answer:
                return json.load(answer)
        except error.HTTPError as answer:
            raise Refused(answer) from None
        except (OSError, http.client.HTTPException, ValueError) as reason:
            raise Stopped(f"{parse.urljoin(self.address, path)}: {reason}") from None

    def wait(self, seconds, why):
        seconds = min(seconds, LONGEST_PAUSE)
        say(f"{why}: waiting {seconds:.0f} s")
        time.sleep(seconds)


def say(line):
    print(line, file=sys.stderr, flush=True)


def in_words(answer):
    """What the site says of a refusal."""
    try:
        said = json.load(answer)
    except (ValueError, OSError, http.client.HTTPException):
        return f"{answer.url}: {answer.code} {answer.reason}"
    if isinstance(said, dict) and "detail" in said:
        more = [f"{name}: {said[name]}" for name in ("page", "set_up") if name in said]
        return "\n".join([f"{said['detail']} ({answer.code})", *more])
    return f"{json.dumps(said, ensure_ascii=False)} ({answer.code})"


# Which release


def describe(site, slug):
    return site.ask(f"/api/v1/releases/{parse.quote(slug, safe='')}/")


def list_releases(site):
    for each in site.ask("/api/v1/releases/"):
        retracted = " RETRACTED" if each["retracted_because"] else ""
        print(
            f"{each['slug']}: {each['clips']} clips, {each['hours']} hours, for {each['audience']}{retracted}"
        )
        print(f"    licence {each['licence'] or 'of each clip'}, formats {' '.join(sorted(each['formats']))}")


def list_formats(site, release):
    for form, address in sorted(release["formats"].items()):
        try:
            with site.open(address, method="HEAD") as answer:
                size = in_bytes(int(answer.headers["Content-Length"]))
        except error.HTTPError as answer:  # to HEAD a site says no words
            whys = {401: "needs a token", 403: "ask for the release first", 409: "cannot hold this release"}
            size = whys.get(answer.code, f"{answer.code} {answer.reason}")
        print(f"{form}: {size}")


def get_access(site, release, given):
    """Show licence and terms, and ask for the release if that is needed. Raises Stopped."""
    if release["retracted_because"]:
        raise Stopped(f"This release was retracted: {release['retracted_because']}")
    say(f"{release['slug']}: {release['clips']} clips, {release['hours']} hours")
    say(f"Licence: {release['licence'] or 'each clip has its own'}")
    if not release.get("terms"):
        return
    stands = site.ask(release["request"])
    if not stands["may_download"] and stands["state"] not in ("waiting", "second-factor-missing"):
        stands = ask_for(site, release, stands, given)
    if stands["state"] == "waiting":
        raise Stopped(f"{stands['what_to_do']} A steward decides; then run this again.", code=3)
    if not stands["may_download"]:
        raise Stopped("\n".join(filter(None, [stands["what_to_do"], stands["reason"]])))


def ask_for(site, release, stands, given):
    terms = stands["terms"]
    if stands["reason"]:
        say(f"A steward wrote: {stands['reason']}")
    say("\n".join([stands["what_to_do"], "", f"Terms, version {terms['version']}:", *terms["text"], ""]))
    accepted = given.accept or answer_to(f"To accept them, type {terms['version']}: ", "--accept")
    if accepted != terms["version"]:
        raise Stopped(f"The terms were not accepted: they are version {terms['version']}.")
    asked = {
        "name": given.name or answer_to("Your name, and where you work or study: ", "--name"),
        "purpose": given.purpose or answer_to("What you want the release for: ", "--purpose"),
        "accept_terms": accepted,
    }
    return site.ask(release["request"], asked)


def answer_to(question, option):
    if not sys.stdin.isatty():
        raise Stopped(f"Nobody is here to answer: give {option}.")
    print(question, end="", file=sys.stderr, flush=True)
    return input().strip()


# The download


def download(site, address, partial, feed):
    """The archive at this address, as a file in the folder `partial`; what is there of it is kept.

    `feed` is the address of the release's recall feed.
    """
    file = partial / ARCHIVE
    begin(partial, address)
    without_progress, pause, others = 0, site.pause, 0
    while True:
        before = size_of(file)
        try:
            if (partial / EARLIER).exists():
                reuse(site, address, partial, feed)
            receive(site, address, partial)
            return file
        except OtherArchive:
            say("The archive is another one by now: keeping the clips that are here")
            set_aside(partial)
            others += 1
            if others == OTHERS:  # perhaps there is something before the site that knows no ranges
                (partial / EARLIER).unlink(missing_ok=True)
            continue
        except Broken as reason:
            why = str(reason)
        has_more = size_of(file) > before
        without_progress, pause = (0, site.pause) if has_more else (without_progress + 1, pause * 2)
        if without_progress == TRIES:
            raise Stopped(f"{why}. Nothing came {TRIES} times; run this again to go on from here.")
        site.wait(pause, f"The download broke off ({why})")


def begin(partial, address):
    """Make the folder, or empty it if what it has is from another address."""
    source = partial / "source"
    if partial.exists() and not (source.is_file() and source.read_text("utf-8") == address):
        shutil.rmtree(partial)
    partial.mkdir(parents=True, exist_ok=True)
    source.write_text(address, "utf-8")


def size_of(file):
    return file.stat().st_size if file.exists() else 0


def receive(site, address, partial, most=None):
    """What is missing of an archive, or the next bytes of it. Raises OtherArchive, Refused and Broken."""
    file, have = partial / ARCHIVE, size_of(partial / ARCHIVE)
    answer = bytes_of(site, address, have, have + most - 1 if most else "", etag_of(partial))
    if answer is None:
        return  # it was complete
    with answer:
        goes_on = answer.status == 206
        (partial / MARK).write_text(answer.headers["ETag"], "utf-8")
        have = have if goes_on else 0
        left = int(answer.headers["Content-Length"])
        size = int(answer.headers["Content-Range"].rpartition("/")[2]) if goes_on else left
        room_for(partial, size - have)
        with file.open("r+b" if have else "wb") as written:
            written.seek(have)
            copy(answer, written, Progress(have, have + left, size))


def etag_of(partial):
    """Of the archive of which there are bytes; else empty."""
    mark = partial / MARK
    return mark.read_text("utf-8") if size_of(partial / ARCHIVE) and mark.exists() else ""


def bytes_of(site, address, first, last, etag):
    """The answer with these bytes of the archive with this ETag; None if it has none from the first one on.

    Without an ETag it is of any archive. Raises OtherArchive, Refused and Broken.
    """
    headers = {"Range": f"bytes={first}-{last}"} if first or last else {}
    # Of another archive, If-Match has nothing sent, and If-Range all of it, should the first be ignored.
    same = {"If-Match": etag, "If-Range": etag} if etag else {}
    try:
        answer = site.open(address, {**headers, **same})
    except error.HTTPError as refusal:
        if refusal.code == OTHER:
            raise OtherArchive from None
        if refusal.code == 416 and refusal.headers["Content-Range"] == f"bytes */{first}":
            return None
        if refusal.code == 416:
            raise OtherArchive from None
        if refusal.code < 500:
            raise Refused(refusal) from None
        raise Broken(f"{refusal.code} {refusal.reason}") from None
    except (OSError, http.client.HTTPException) as reason:
        raise Broken(getattr(reason, "reason", reason)) from None
    is_part = answer.status == 206 and answer.headers["Content-Range"].startswith(f"bytes {first}-")
    if (first and not is_part) or (etag and answer.headers["ETag"] != etag):
        answer.close()
        raise OtherArchive
    return answer


# After a recall feed, an archive has other documents and tables, and lacks some clips. All others are there
# as they were, in the same order. So what follows from the ones that are here need not be downloaded again.


def set_aside(partial):
    """Keep what came of an archive that the site does not have any more, for the clips in it."""
    file, earlier = partial / ARCHIVE, partial / EARLIER
    if size_of(file) > size_of(earlier):
        file.replace(earlier)
    file.unlink(missing_ok=True)
    if not any(clips_in(earlier)):
        earlier.unlink(missing_ok=True)


def reuse(site, address, partial, feed):
    """Begin an archive: download what comes before its clips, and take as many as possible from the one that
    was set aside. Raises OtherArchive, Refused, Broken and Stopped."""
    file, earlier, step = partial / ARCHIVE, partial / EARLIER, STEP
    while not (first := first_clip(file)):
        before = size_of(file)
        receive(site, address, partial, step)
        if size_of(file) == before:  # it has no clip
            break
        step = min(2 * step, 128 * STEP)
    if first:
        told = site.ask(feed)
        recalled = set(told["recalled"])
        for gone in (recalled, recalled | set(told["not_for_synthesis"])):
            kept = [clip for clip in clips_in(earlier) if gone.isdisjoint(ID.findall(clip[0]))]
            if follows(site, address, partial, first, kept):
                (partial / REUSED).touch()
                append(file, earlier, first[1], kept)
                break
        else:
            refuse_another(site, address, partial, first[1])
    earlier.unlink()


def refuse_another(site, address, partial, at):
    """Raises OtherArchive if the feed was read after the next one came: then what is here may follow that."""
    answer = bytes_of(site, address, at, at + TAR_BLOCK - 1, etag_of(partial))
    if answer is not None:
        answer.close()


def first_clip(archive):
    """(name, place) of the first WAV of an archive that may end anywhere; None before it came."""
    with suppress(tarfile.TarError, FileNotFoundError), tarfile.open(archive, "r:") as tar:
        for member in tar:
            if member.name.endswith(".wav"):
                return member.name, member.offset
    return None


def clips_in(archive):
    """(name, first byte, end) of each WAV that is whole, with its header and padding."""
    size = size_of(archive)
    with suppress(tarfile.TarError, FileNotFoundError), tarfile.open(archive, "r:") as tar:
        for member in tar:
            tar.members = []  # else it keeps every header
            end = member.offset_data + -(-member.size // TAR_BLOCK) * TAR_BLOCK
            if member.name.endswith(".wav") and end <= size:
                yield member.name, member.offset, end


def follows(site, address, partial, first, kept):
    """Whether the archive's first clips are these: then behind them begins a file that is none of them."""
    name, start = first
    if not kept or kept[0][0] != name:
        return False
    at = start + sum(end - begin for _name, begin, end in kept)
    answer = bytes_of(site, address, at, at + TAR_BLOCK - 1, etag_of(partial))
    if answer is None:
        return False
    with answer:
        try:
            header = tarfile.TarInfo.frombuf(answer.read(TAR_BLOCK), "utf-8", "surrogateescape")
        except (OSError, http.client.HTTPException) as reason:
            raise Broken(reason) from None
        except tarfile.HeaderError:
            return False
    return header.name not in {name for name, _begin, _end in kept}


def append(file, earlier, start, kept):
    """Those bytes of the clips, which begin at `start`, that the file does not have."""
    with earlier.open("rb") as source, file.open("r+b") as target:
        have, at = target.seek(0, os.SEEK_END), start
        for _name, begin, end in kept:
            skipped = min(max(have - at, 0), end - begin)
            source.seek(begin + skipped)
            target.write(source.read(end - begin - skipped))
            at += end - begin


def copy(answer, file, progress):
    """Everything of the answer. Raises Broken if it ends too early."""
    while not progress.is_complete:
        try:
            data = answer.read(min(CHUNK, progress.missing))
        except (OSError, http.client.HTTPException) as reason:
            raise Broken(reason) from None
        if not data:
            raise Broken(f"{in_bytes(progress.missing)} are missing")
        file.write(data)
        progress.add(len(data))


def room_for(folder, size):
    free = shutil.disk_usage(folder).free
    if free < size:
        raise Stopped(f"{folder}: {in_bytes(size)} are needed and {in_bytes(free)} are free.")


class Progress:
    """A bar on a terminal; nothing elsewhere."""

    def __init__(self, done, end, size):
        """From byte `done` to `end` of `size`."""
        self.done, self.end, self.size = done, end, size
        self._begun, self._first, self._shown = time.monotonic(), done, 0.0

    @property
    def missing(self):
        return self.end - self.done

    @property
    def is_complete(self):
        return self.done >= self.end

    def add(self, count):
        self.done += count
        now = time.monotonic()
        if sys.stderr.isatty() and (now - self._shown > 0.2 or self.is_complete):
            self._shown = now
            share = self.done / self.size
            rate = (self.done - self._first) / max(now - self._begun, 0.001)
            bar = "#" * int(30 * share)
            end = "\n" if self.done >= self.size else ""
            amount = f"{in_bytes(self.done)} of {in_bytes(self.size)}, {in_bytes(rate)}/s"
            print(f"\r[{bar:30}] {share:4.0%}  {amount}   ", end=end, file=sys.stderr, flush=True)


def in_bytes(count):
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


# From an archive to a copy


def unpack(archive, folder):
    """Its files. Raises Stopped for anything but plain files within the folder."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir()
    room_for(folder, size_of(archive))
    with tarfile.open(archive, "r:") as tar:
        for member in tar:
            tar.members = []  # else it keeps every header
            path = safe(folder, member)
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                shutil.copyfileobj(tar.extractfile(member), file, CHUNK)


def safe(folder, member):
    path = PurePosixPath(member.name)
    is_inside = not path.is_absolute() and ".." not in path.parts and not re.search(r"[\\:\0]", member.name)
    if not member.isreg() or not is_inside or not path.parts:
        raise Stopped(f"The archive has {member.name!r}, which is no plain file within the copy.")
    return folder.joinpath(*path.parts)


def check(site, slug, folder, cleaner):
    """Take out what was withdrawn, and compare everything else with its checksum. What is wrong."""
    feed = f"{site.address}/api/v1/recalls/{parse.quote(slug, safe='')}.json"
    return cleaner.clean(folder, *cleaner.withdrawn(folder, feed, ""))


def fetch(site, release, form, folder, cleaner):
    """Download the whole, and put it where the copy belongs."""
    partial = beside(folder, ".partial")
    archive = download(site, address_of(release, form), partial, release["recalls"])
    files = partial / "files"
    unpack(archive, files)
    wrong = check(site, release["slug"], files, cleaner)
    stop_if_wrong(wrong, "The download is not what the site lists:", partial)
    put(files, folder)
    shutil.rmtree(partial)


def address_of(release, form):
    if form not in release["formats"]:
        raise Stopped(f"--format {form}: the site has {', '.join(sorted(release['formats']))}.")
    return release["formats"][form]


def stop_if(wrong, why):
    if wrong:
        raise Stopped("\n".join([why, *wrong]))


def stop_if_wrong(wrong, why, partial):
    """The next run goes on with the same archive, unless it has parts of another one, which may be wrong."""
    if wrong and (partial / REUSED).exists():
        shutil.rmtree(partial)
        wrong = [*wrong, "What was kept of an earlier archive is deleted. Run this again."]
    stop_if(wrong, why)


def beside(folder, suffix):
    return folder.with_name(folder.name + suffix)


def put(files, folder):
    """Move a complete copy to its place, and the one that was there away."""
    old = beside(folder, ".old")
    if folder.exists():
        folder.replace(old)
    files.replace(folder)
    if old.exists():
        shutil.rmtree(old)


def recover(folder):
    """A run that was killed while it exchanged copies left the older one beside its place."""
    old = beside(folder, ".old")
    if old.exists() and not folder.exists():
        old.replace(folder)
    elif old.exists():
        shutil.rmtree(old)


# From the version before


def update(site, release, form, folder, cleaner):
    """Download what is new, take the rest from the copy of the version before, and exchange the copies."""
    refuse_other_files(folder)
    partial = beside(folder, ".partial")
    whole, feed = address_of(release, form), release["recalls"]
    try:
        archive = download(site, whole.replace(f"/{form}.tar", f"/{form}-delta.tar"), partial, feed)
    except Refused as refusal:
        if refusal.status != CANNOT:
            raise
        say(f"There is no difference to download: {refusal}\nDownloading the whole.")
        archive = download(site, whole, partial, feed)
    files = partial / "files"
    unpack(archive, files)
    earlier = previous_ids(files)
    refuse_other_release(folder, earlier)
    complete(files, folder, earlier)
    wrong = check(site, release["slug"], files, cleaner)
    if wrong and archive_is_delta(partial):
        say("\n".join(["The copy lacks clips of the new version. Downloading the whole.", *wrong[:5]]))
        archive = download(site, whole, partial, feed)
        unpack(archive, files)
        wrong = check(site, release["slug"], files, cleaner)
    stop_if_wrong(wrong, "The new version is not what the site lists:", partial)
    put(files, folder)
    shutil.rmtree(partial)


def archive_is_delta(partial):
    return (partial / "source").read_text("utf-8").endswith("-delta.tar")


def listed(folder):
    """The files of a copy, as its checksums name them."""
    return [line[66:] for line in (folder / SUMS).read_text("utf-8").splitlines()]


def refuse_other_files(folder):
    known = {SUMS, *listed(folder)}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name not in known and not name.endswith(".cleaning"):
            raise Stopped(f"{path} is not of the release, and an update would delete it. Move it elsewhere.")


def previous_ids(files):
    """The id that a clip had in the version before, by its id in this one."""
    if not (files / PREVIOUS).is_file():
        raise Stopped("This release follows no other one: download it into another folder.")
    with (files / PREVIOUS).open(newline="", encoding="utf-8") as table:
        return {row["id"]: row["previous_id"] for row in csv.DictReader(table)}


def refuse_other_release(folder, earlier):
    with (folder / LABELS).open(encoding="utf-8") as lines:
        has = {json.loads(line)["id"] for line in lines}
    if has and has.isdisjoint(earlier.values()):
        raise Stopped(
            f"{folder} does not hold the version before this one: download this one into another folder."
        )


def held_in(folder, form):
    """The release of which the folder is a copy, in this format."""
    licence, described = folder / "LICENSE.txt", folder / "croissant.json"
    found = RELEASE_OF_COPY.findall(licence.read_text("utf-8")) if licence.is_file() else []
    if not found:
        raise Stopped(f"{folder} is there already, and is no copy of a release. Choose another folder.")
    if form and described.is_file() and form not in json.loads(described.read_text("utf-8"))["keywords"]:
        raise Stopped(f"{folder} holds {found[0]} in another format than {form}. Choose another folder.")
    return found[0]


def complete(files, folder, earlier):
    """Add the clips that the version before has, under their names in this one."""
    at_hand = {path.stem: path for path in folder.rglob("*.wav")}
    ids = re.compile("[0-9A-Za-z]+")
    for name in listed(files):
        path = files.joinpath(*PurePosixPath(name).parts)
        if path.suffix == ".wav" and not path.exists():
            now = next((each for each in ids.findall(path.name) if each in earlier), "")
            before = at_hand.get(earlier.get(now, ""))
            if before:
                path.parent.mkdir(parents=True, exist_ok=True)
                renamed(before, path, earlier[now], now)


def renamed(before, path, old, new):
    """The same clip under another id; in a public release the WAV ends with a comment that holds it."""
    data = before.read_bytes()
    if data.endswith(comment(old)):
        data = data[: -len(comment(old))] + comment(new)
        data = data[:4] + struct.pack("<I", len(data) - 8) + data[8:]
        path.write_bytes(data)
    else:
        shutil.copyfile(before, path)


def comment(identifier):
    text = identifier.encode() + bytes(2 - len(identifier) % 2)
    return struct.pack("<4sI4s4sI", b"LIST", 12 + len(text), b"INFO", b"ICMT", len(text)) + text


# One run


def cleaner_of(site):
    """clean_copy.py, which lies beside this file; if not, it comes from the same site."""
    path = HERE / "clean_copy.py"
    if not path.exists():
        address = "/static/downloads/clean_copy.py"
        say(f"Downloading {site.address}{address}")
        try:
            with site.open(address) as answer:
                program = answer.read()
        except (OSError, http.client.HTTPException) as reason:
            raise Stopped(f"{site.address}{address}: {reason}. Put it beside this program.") from None
        part = path.with_name("clean_copy.py.partial")
        part.write_bytes(program)
        part.replace(path)
    sys.path.insert(0, str(HERE))
    return importlib.import_module("clean_copy")


def run(given):
    site = Site(given.site, given.token, given.pause)
    if given.list:
        return list_formats(site, describe(site, given.release)) if given.release else list_releases(site)
    if not given.release:
        raise Stopped("Which release? --list shows them.")
    form = LABELS_FORMAT if given.labels else given.format
    if not form and not (given.recalls and given.to):
        raise Stopped(f"Which format? --list {given.release} shows them.")
    folder = Path(given.to or f"{given.release}-{form}").absolute()
    recover(folder)
    cleaner = cleaner_of(site)
    holds = held_in(folder, form) if folder.exists() else None
    if given.recalls or holds == given.release:
        if holds != given.release:
            raise Stopped(f"{folder} holds {holds or 'no copy'}, and not {given.release}.")
        stop_if(check(site, given.release, folder, cleaner), f"{folder} is not complete:")
    else:
        if holds and not given.update:
            raise Stopped(
                f"{folder} holds {holds}. --update makes {given.release} of it, if that follows it."
            )
        release = describe(site, given.release)
        get_access(site, release, given)
        (update if holds else fetch)(site, release, form, folder, cleaner)
    say(f"{folder}: complete and clean")


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("release", nargs="?", default="", help="its name, as --list shows it")
    parser.add_argument("--site", default=os.environ.get("TAGGER_SITE", ""), help="or TAGGER_SITE")
    parser.add_argument("--token", default=os.environ.get("TAGGER_TOKEN", ""), help="better in TAGGER_TOKEN")
    parser.add_argument("--format", default="", help="as --list RELEASE shows them")
    parser.add_argument(
        "--labels", action="store_true", help=f"the format {LABELS_FORMAT}, which has no sound"
    )
    parser.add_argument("--to", default="", help="the folder of the copy; else RELEASE-FORMAT")
    parser.add_argument("--list", action="store_true", help="only show what there is")
    parser.add_argument("--update", action="store_true", help="the folder has the version before")
    parser.add_argument("--recalls", action="store_true", help="only take out what was withdrawn")
    parser.add_argument("--accept", default="", help="the version of the terms that you read and accept")
    parser.add_argument("--name", default="", help="yours, and where you work, for the request")
    parser.add_argument("--purpose", default="", help="what you want the release for")
    parser.add_argument(
        "--pause", type=float, default=1, help="seconds until the first new try; then doubled"
    )
    return parser.parse_args()


if __name__ == "__main__":
    try:
        run(arguments())
    except Stopped as why:
        say(str(why))
        raise SystemExit(why.code) from None
    except KeyboardInterrupt:
        say("\nInterrupted. Run it again to go on from here.")
        raise SystemExit(130) from None
    except (OSError, ValueError, LookupError, tarfile.TarError) as reason:
        say(f"Not complete: {reason}")
        raise SystemExit(1) from None
