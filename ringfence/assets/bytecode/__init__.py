"""The bytecode in the zips: made by the Python that is deployed, and held to its sources."""
