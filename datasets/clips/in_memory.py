"""Uploaded files stay in memory: they may be voices, and these lie on no disk but as ciphertext."""

from typing import Any

from django.core.files.uploadhandler import MemoryFileUploadHandler


class InMemory(MemoryFileUploadHandler):
    """Keeps files of any size in memory. The size of the whole body was checked before."""

    def handle_raw_input(self, *args: Any, **kwargs: Any) -> None:
        self.activated = True
