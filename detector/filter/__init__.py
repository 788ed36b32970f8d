"""The filter in the message path: each message is let through, redacted, set apart or blocked.

from detector import Filter
verdict = Filter().check({"role": "user", "content": "my key is …"})
verdict.action, verdict.content, verdict.findings
"""

from detector.filter.filter import Filter
from detector.filter.policy import Action, Policy, PolicyRule
from detector.filter.verdict import Verdict

__all__ = ["Action", "Filter", "Policy", "PolicyRule", "Verdict"]
