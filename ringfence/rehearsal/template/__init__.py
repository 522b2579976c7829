"""What the rehearsal reads of a template: strictly, and every type accounted for."""
