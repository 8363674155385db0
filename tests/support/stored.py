"""What is in the vault of a site."""

from datasets.clips import vault


def files(home):
    """The clips' files, without the mark that says whose vault it is."""
    found = (path for path in (home / "vault").rglob("*") if path.is_file())
    return sorted(path for path in found if path != home / "vault" / vault.MARK)
