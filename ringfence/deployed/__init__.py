"""A synthesised cloud assembly, read as the account would see it after deployment."""

OFFERS = (
    "assembly",
    "department",
    "functions",
    "gateways",
    "guardrails",
    "intrinsics",
    "known",
    "problems",
    "properties",
    "resource_policies",
    "roles",
    "runtimes",
    "targets",
    "user_pool",
)
