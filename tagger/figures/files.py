"""A figure as a CSV file."""

import csv
import io

from . import rows
from .reading import Figures


def csv_of(figures: Figures, name: str) -> str:
    """Its rows under the names of their columns. What is not known is empty."""
    written = io.StringIO()
    writer = csv.DictWriter(written, rows.columns(name))
    writer.writeheader()
    writer.writerows(figures.table(name))
    return written.getvalue()
