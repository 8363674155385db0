"""Settings of a site on which programs do in seconds what people do in hours."""

NO_QUOTAS = dict.fromkeys(
    (
        *("NEWCOMERS_LENDING_QUOTA", "LENDING_QUOTA", "NEWCOMERS_SKIPPING_QUOTA", "SKIPPING_QUOTA"),
        *("NEWCOMERS_REPORTING_QUOTA", "REPORTING_QUOTA"),
    ),
    "0",
)
