"""The shape of the catalogue's files: what each table may hold, and how it is written."""
