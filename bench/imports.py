"""Processor time of `manage.py import_clips`, compared with only reading, hashing and encrypting."""

import hashlib
import os
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bench import clips, sites
from tests.support.site import ROOT, Site

NEEDS_DATA = False

CLIPS = 4_000
LINE = "{:52} {:>8} {:>10} {:>10}"


def main(data: Path) -> None:
    with tempfile.TemporaryDirectory() as folder, sites.running(Path(folder, "home")) as site:
        source, empty = Path(folder, "clips"), Path(folder, "empty")
        size = clips.write(source, CLIPS)
        empty.mkdir()
        word = ("--kind", "wake-word", "--language", "en", "--wake-word", "hey")
        site.manage("create_campaign", "bench", *word)
        pids = site.children()
        with sites.paused([pids["web"], pids["worker"], pids["beat"]]):
            unwritten = min(_bare(source, None) for _ in range(3))
            bare = min(_bare(source, Path(folder, f"bare{turn}")) for turn in range(3))
            start = _import(site, empty)
            before = sites.processor_seconds(pids["postgres"])
            whole = _import(site, source)
            database = sites.processor_seconds(pids["postgres"]) - before
            again = _import(site, source)
    print(f"{CLIPS:,} WAV of 1 to 3 s, 16 kHz, mono, 16 bit, {size / 1e6:.0f} MB; processor time a clip\n")
    print(LINE.format("", "ms", "of bare", "of written"))
    each = {
        "bare: read, SHA-256, AES-256-GCM": unwritten,
        "bare: the same, and written": bare,
        "import_clips": whole - start,
        "  the database during it": database,
        "import_clips again, with nothing new": again - start,
    }
    for name, seconds in each.items():
        print(
            LINE.format(
                name, f"{1000 * seconds / CLIPS:.3f}", f"{seconds / unwritten:.2f}", f"{seconds / bare:.2f}"
            )
        )
    print(f"\nStarting the command takes {start:.1f} s in addition, once.")


def _bare(source: Path, target: Path | None) -> float:
    if target:
        target.mkdir()
    start = time.process_time()
    for path in source.iterdir():
        sound = path.read_bytes()
        hashlib.sha256(sound).digest()
        nonce = secrets.token_bytes(12)
        sealed = nonce + AESGCM(secrets.token_bytes(32)).encrypt(nonce, sound, path.name.encode())
        if target:
            (target / path.name).write_bytes(sealed)
    return time.process_time() - start


def _import(site: Site, source: Path) -> float:
    """Processor seconds of the command, without the database."""
    options = ("--contributor", "bench", "--consent-reference", "synthesised", "--licence", "CC0-1.0")
    command = [sys.executable, "manage.py", "import_clips", str(source), "--campaign", "bench", *options]
    child = subprocess.Popen(command, cwd=ROOT, env=site.env, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, command)
    return used.ru_utime + used.ru_stime
