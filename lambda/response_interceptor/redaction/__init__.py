"""Takes secrets and UK personal data out of what a tool answers, by the rules of `catalogue/redaction.toml`.

A cheap gate looks at the whole text once; exact rules run only where it points (decision 42).
"""

from response_interceptor.redaction.finding import Redactor
from response_interceptor.redaction.gate import occurs
from response_interceptor.redaction.marks import Marks
from response_interceptor.redaction.redaction import Redaction

__all__ = ["Marks", "Redaction", "Redactor", "occurs"]
