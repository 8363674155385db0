"""The date formats that Django lacks for Arabic. The others are Django's."""

DATETIME_FORMAT = "j F، Y، H:i"
