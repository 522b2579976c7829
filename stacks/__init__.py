"""One file per stack: each reads like a bill of materials, in the order in which things are made."""

from ringfence.assets.pruning import ListRefused
from ringfence.assets.zips import AssetMissing

# What composing a stack may raise besides the problems of the data; the app prints it.
__all__ = ["AssetMissing", "ListRefused"]
