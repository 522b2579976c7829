"""Who asks, for which resources, and whether the assembly's policies allow it."""
