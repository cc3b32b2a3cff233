"""decide(facts, policy, recipes, protocols): the one place where the order of deciding is visible.

Pure: the same facts give the same decision for ever. It acts on nothing and can only answer.
"""

from rules.findings import CAUTION, Decision, Finding, Outcome, Queue, Severity, TellKind, TraceStep

__all__ = ["CAUTION", "Decision", "Finding", "Outcome", "Queue", "Severity", "TellKind", "TraceStep"]
