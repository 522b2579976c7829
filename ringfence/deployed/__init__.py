"""A synthesised cloud assembly, read as the account would see it after deployment."""

OFFERS = (
    "assembly",
    "department",
    "functions",
    "gateways",
    "intrinsics",
    "known",
    "problems",
    "properties",
    "resource_policies",
    "roles",
    "runtimes",
    "targets",
)
