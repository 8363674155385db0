"""The files of a researcher's copy of a release."""

import hashlib


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def whole(folder):
    """All files, after checking that each is listed once with its checksum."""
    files = contents(folder)
    listed = files.pop("checksums.sha256").decode().splitlines()
    assert sorted(listed) == sorted(f"{hashlib.sha256(data).hexdigest()}  {n}" for n, data in files.items())
    return files
