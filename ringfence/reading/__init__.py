"""What people wrote, read strictly: documents, the kinds of value they hold, and every problem in them, told at
once."""

OFFERS = (
    "annotations",
    "bootstrap",
    "chosen_file",
    "documents",
    "names",
    "patterns",
    "placeholder_checks",
    "problems",
    "region",
    "template",
    "values",
    "visible",
)
