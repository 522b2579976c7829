"""Which servers and tools there are, what they need, and which persona holds which of them: `catalogue/`, read and
checked."""

OFFERS = (
    "actions",
    "catalogue",
    "checks.arguments",
    "commands",
    "bypasses",
    "files.catalogue_files",
    "files.published_files",
    "files.tool_files",
    "files.words",
    "grants",
    "hosts",
    "iam_statements",
    "models",
    "servers",
    "shown.published",
    "shown.shown",
    "shown.shown_checks",
)
