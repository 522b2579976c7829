"""Cedar as a gateway has it: the schema of its tools, the values of a call, and the decision. Knows no template."""

OFFERS = ("engine", "schema")
