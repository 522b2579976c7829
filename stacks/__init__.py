"""One file per stack: each reads like a bill of materials, in the order in which things are made."""
