"""What every role gets at every address; docs/roles.md has the same matrix, and a test compares the two."""

import tempfile
from pathlib import Path

from bench import sites

NEEDS_DATA = False


def main(data: Path) -> None:
    with tempfile.TemporaryDirectory() as folder, sites.running(Path(folder, "home")) as site:
        code = "from tests.support import role_matrix; role_matrix.tell()"
        print(site.manage("shell", "-v", "0", "--no-imports", "-c", code).stdout)
