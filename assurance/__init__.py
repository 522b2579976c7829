"""Reads a synthesised cloud assembly and decides, from its own policies, what would be allowed."""
