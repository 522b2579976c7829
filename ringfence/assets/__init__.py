"""Builds what is deployed: ARM64 zips from hash-pinned locks, reproducible and cached by content, without Docker."""

OFFERS = (
    "build",
    "bundles",
    "bytecode.interpreters",
    "bytecode.proof",
    "local",
    "lock",
    "pruning",
    "service_reference",
    "smoke",
    "zips",
)
