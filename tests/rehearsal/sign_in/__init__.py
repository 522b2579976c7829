"""One package, so that the department that is served ends with its tests: two local AWS cannot be in one process."""
