"""The floors, the walls and the house rules that a machine can check, read from every module with `ast`.

Each rule is a function from a parsed module to findings; the last test plants a breach of each, so that a rule which
stopped seeing anything cannot pass for a clean tree.
"""

import ast
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("refillhub", "rules", "integrations", "review", "audit")

# Which floors a floor may import, itself included. 0 is the core of rules, 3 its shell.
MAY_IMPORT = {6: {0, 1, 2, 3, 4, 5, 6}, 5: {0, 1, 2, 3, 4, 5}, 4: {1, 2, 4}, 3: {0, 1, 2, 3}, 2: {1, 2}, 1: {1}, 0: {0}}
SHELL_TEXT = "models admin editor versions recording apps migrations management templatetags views urls"
RULES_SHELL = {*SHELL_TEXT.split(), "previewing", "publishing", "releases", "vocabulary", "written"}

# Inside review: a file imports its own line and those below, never above.
REVIEW_LINES = {
    5: {"urls", "admin", "webhooks", "tasks", "views", "api", "management", "forms", "templatetags", "apps"},
    4: {
        "backtest", "intake", "gathering", "mailbox", "renewals", "directory", "delivery", "timers", "epcs", "metrics",
        "telling", "watching", "audit_runs",
        "report",
    },
    3: {"workflow"},
    2: set(),  # outbox, routing, replies, facts, queries, access ...: every file not named here
    1: {"states", "models", "migrations"},
}
WRITES_STATE = {"review.workflow", "review.outbox"}

IMPURE_TEXT = "os socket random secrets time subprocess threading asyncio http requests urllib sqlite3 tempfile logging"
IMPURE = set(IMPURE_TEXT.split())
IMPURE_CALLS = {"now", "utcnow", "today", "uuid4", "uuid1", "getenv", "fromtimestamp"}
LONGEST_FILE = 450  # lines


@dataclass(frozen=True, slots=True)
class Module:
    """One parsed file; `name` is dotted, without `.__init__`."""

    name: str
    tree: ast.Module
    lines: int

    @property
    def is_package(self) -> bool:
        return (ROOT / Path(*self.name.split("."))).is_dir()


def floor(name: str) -> int | None:
    """The floor of a dotted name of ours; None for everything else (the sandbox has a wall instead)."""
    first, _, rest = name.partition(".")
    second = rest.partition(".")[0]
    if first == "rules":
        return 3 if second in RULES_SHELL else 0
    if name.startswith("integrations.sandbox"):
        return None
    if first == "refillhub":
        return 2 if second == "practices" else 6
    return {"audit": 1, "integrations": 4, "review": 5}.get(first)


def review_line(name: str) -> int:
    """The inner line of a module of review; a file not named in REVIEW_LINES is a helper of the verbs."""
    part = name.split(".")[1]
    return next((line for line, names in REVIEW_LINES.items() if part in names), 2)


def imported(module: Module) -> Iterator[tuple[str, int]]:
    """Every dotted name imported, with its line; `from a import b` yields a.b, as b may be a module."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = node.module or ""
            if node.level:
                above = module.name.split(".")
                above = above[: len(above) - node.level + (1 if module.is_package else 0)]
                start = ".".join([*above, start] if start else above)
            yield from ((f"{start}.{alias.name}", node.lineno) for alias in node.names)


def is_core(module: Module) -> bool:
    return floor(module.name) == 0 and not module.name.startswith("rules.data")


def floors_run_downwards(module: Module) -> Iterator[str]:
    own = floor(module.name)
    for name, line in imported(module):
        other = floor(name)
        if name.split(".")[0] in {"tests", "deploy"}:
            yield f"{line}: imports {name}, which is not part of the product"
        if own is not None and other is not None and other not in MAY_IMPORT[own]:
            yield f"{line}: floor {own} imports {name} of floor {other}"
        if other == 6 and own != 6:
            yield f"{line}: nobody imports the wiring ({name})"


def sandbox_stands_alone(module: Module) -> Iterator[str]:
    inside = module.name.startswith("integrations.sandbox")
    for name, line in imported(module):
        first = name.split(".")[0]
        if inside and not name.startswith("integrations.sandbox") and first not in sys.stdlib_module_names:
            yield f"{line}: the sandbox imports {name}"
        if not inside and name.startswith("integrations.sandbox"):
            yield f"{line}: imports the sandbox ({name})"


def review_runs_downwards(module: Module) -> Iterator[str]:
    if not module.name.startswith("review."):
        return
    own = review_line(module.name)
    for name, line in imported(module):
        other = review_line(name) if name.startswith("review.") else None
        if other is not None and other > own:
            yield f"{line}: line {own} imports {name} of line {other}"


def core_is_pure(module: Module) -> Iterator[str]:
    if not is_core(module):
        return
    for name, line in imported(module):
        first = name.split(".")[0]
        if first in IMPURE or (first not in sys.stdlib_module_names and first not in {"rules", "rapidfuzz"}):
            yield f"{line}: the core of rules imports {name}"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in IMPURE_CALLS:
            yield f"{node.lineno}: the core of rules calls .{node.func.attr}()"


def imports_stand_at_the_head(module: Module) -> Iterator[str]:
    if module.name.endswith(".apps"):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Import | ast.ImportFrom):
                    yield f"{inner.lineno}: import inside {node.name}"


def state_is_written_by_verbs(module: Module) -> Iterator[str]:
    if not module.name.startswith("review.") or ".".join(module.name.split(".")[:2]) in WRITES_STATE:
        return
    for node in ast.walk(module.tree):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
            for target in targets:
                if isinstance(target, ast.Attribute) and target.attr == "state" and ast.unparse(target.value) != "self":
                    yield f"{node.lineno}: assigns .state"
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "update":
            yield from (f"{node.lineno}: update(state=...)" for keyword in node.keywords if keyword.arg == "state")
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "setattr" and "'state'" in ast.dump(node):
            yield f"{node.lineno}: setattr of state"


SCRIPT_WRITERS = {"integrations.surescripts.script_answer", "review.management.commands.script_message"}
"""`script_write` knows no lanes: what leaves is written by script_build and script_answer, which refuse what is
controlled or unknown; the command prints and sends nothing."""


def only_the_lanes_write_prescriptions(module: Module) -> Iterator[str]:
    for name, line in imported(module):
        if name.startswith("integrations.surescripts.script_write") and module.name not in SCRIPT_WRITERS:
            yield f"{line}: imports script_write, which asks for no lane and no signature"


SIGNS = {
    "script_epcs": {"review.signing", "review.workflow.preparing"},
    "prove": {"review.views.signing", "refillhub.practices.grant_views"},
    "Proof": {"refillhub.practices.factors"},
    "signature": {"review.workflow.signatures"},
    "sign": {"review.workflow.signatures"},
}
"""Who may write the bytes of a controlled prescription, ask for a signer's factors, make their proof, put a signature
on a dispatch, and use the signing key. The road is one: page, factors, `workflow.sign`, dispatch."""


def only_a_signer_opens_the_controlled_lane(module: Module) -> Iterator[str]:
    if module.name.startswith("integrations.sandbox") or module.name == "review.outbox":
        return
    for name, line in imported(module):
        if "surescripts.script_epcs" in name and module.name not in SIGNS["script_epcs"]:
            yield f"{line}: imports script_epcs"
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        if called == "factors.prove" and module.name not in SIGNS["prove"]:
            yield f"{node.lineno}: asks for a signer's factors"
        if called.rpartition(".")[2] == "Proof" and module.name not in SIGNS["Proof"]:
            yield f"{node.lineno}: makes a proof of its own"
        if called == "seals.sign" and module.name not in SIGNS["sign"]:
            yield f"{node.lineno}: uses the signing key"
        if module.name not in SIGNS["signature"]:
            if called.rpartition(".")[2] in {"freeze", "Dispatch", "create", "update"} and any(
                word.arg == "signature" for word in node.keywords
            ):
                yield f"{node.lineno}: puts a signature on a dispatch"
            if called.startswith("Signature.objects.create"):
                yield f"{node.lineno}: makes a signature"
        if called.endswith("EPCS") or any(
            word.arg == "lane" and ast.unparse(word.value).endswith("EPCS") for word in node.keywords
            if called.rpartition(".")[2] in {"freeze", "Dispatch", "create", "update"}
        ):
            yield f"{node.lineno}: chooses the controlled lane by itself"


def files_stay_readable(module: Module) -> Iterator[str]:
    if module.lines > LONGEST_FILE:
        yield f"{module.lines}: longer than {LONGEST_FILE} lines; find the second verb in it"
    if module.tree.body and not ast.get_docstring(module.tree):
        yield "1: no docstring at the head"


RULES: tuple[Callable[[Module], Iterator[str]], ...] = (
    floors_run_downwards,
    sandbox_stands_alone,
    review_runs_downwards,
    core_is_pure,
    imports_stand_at_the_head,
    state_is_written_by_verbs,
    only_the_lanes_write_prescriptions,
    only_a_signer_opens_the_controlled_lane,
    files_stay_readable,
)


def read(path: Path) -> Module:
    text = path.read_text()
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    return Module(name=name, tree=ast.parse(text), lines=text.count("\n") + 1)


MODULES = [
    read(path)
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
    if "migrations" not in path.parts
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_tree_keeps_the_rule(rule: Callable[[Module], Iterator[str]]) -> None:
    findings = [f"{module.name}:{finding}" for module in MODULES for finding in rule(module)]
    assert not findings, "\n" + "\n".join(findings)


@pytest.mark.parametrize(
    ("rule", "name", "source"),
    [
        (floors_run_downwards, "audit.log", "from refillhub.practices import models"),
        (floors_run_downwards, "integrations.mirror", "import rules.facts"),
        (floors_run_downwards, "integrations.mirror", "from review import workflow"),
        (floors_run_downwards, "refillhub.practices.views", "from refillhub import settings"),
        (floors_run_downwards, "rules.admin", "from integrations import mirror"),
        (floors_run_downwards, "review.tasks", "from refillhub.celery import app"),
        (floors_run_downwards, "review.tasks", "from deploy import embedded"),
        (sandbox_stands_alone, "integrations.sandbox.klara", "from integrations.klara import signing"),
        (sandbox_stands_alone, "integrations.sandbox.klara", "import requests"),
        (sandbox_stands_alone, "review.tasks", "from integrations import sandbox"),
        (review_runs_downwards, "review.states", "from review import workflow"),
        (review_runs_downwards, "review.workflow.moves", "from review.delivery import deliver"),
        (review_runs_downwards, "review.workflow.moves", "from .. import tasks"),
        (review_runs_downwards, "review.a_new_helper", "from review import workflow"),
        (core_is_pure, "rules.guards", "from django.db import models"),
        (core_is_pure, "rules.hours", "import time"),
        (core_is_pure, "rules.hours", "from datetime import datetime\nx = datetime.now()"),
        (imports_stand_at_the_head, "review.tasks", "def f():\n    import json"),
        (state_is_written_by_verbs, "review.views.desk", "def f(row):\n    row.state = 'done'"),
        (state_is_written_by_verbs, "review.timers", "Rows.filter().update(state='done')"),
        (state_is_written_by_verbs, "review.timers", "setattr(row, 'state', 'done')"),
        (only_the_lanes_write_prescriptions, "review.orders", "from integrations.surescripts import script_write"),
        (only_a_signer_opens_the_controlled_lane, "review.orders", "from integrations.surescripts import script_epcs"),
        (only_a_signer_opens_the_controlled_lane, "review.orders", "outbox.freeze(signature=row)"),
        (only_a_signer_opens_the_controlled_lane, "review.orders", "Dispatch(lane=Lane.EPCS)"),
        (only_a_signer_opens_the_controlled_lane, "review.timers", "Signature.objects.create(user=row)"),
        (only_a_signer_opens_the_controlled_lane, "review.tasks", "factors.prove(request=None)"),
        (only_a_signer_opens_the_controlled_lane, "review.workflow.signatures", "Proof(user_id=1)"),
        (only_a_signer_opens_the_controlled_lane, "review.views.desk", "seals.sign(document=b'')"),
        (files_stay_readable, "review.timers", "import json"),
        (files_stay_readable, "review.timers", '"""Doc."""\n' + "x = 1\n" * 451),
    ],
)
def test_a_planted_breach_is_found(rule: Callable[[Module], Iterator[str]], name: str, source: str) -> None:
    planted = Module(name=name, tree=ast.parse(source), lines=source.count("\n") + 1)
    assert list(rule(planted))
