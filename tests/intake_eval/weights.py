"""`python -m tests.intake_eval.weights`: learns rules/data/danger_weights.tsv from the labelled messages.

Needs scikit-learn 1.9 (pip install scikit-learn), which nothing else here does, so it is in no list of requirements.
Learns from the tuned part of the labelled set, `said/*.jsonl` (messages labelled emergency or not, written for this),
the hostile set and the messages of danger kept as tests. The sealed part is never opened. The threshold is where so
large a share of held-out messages that are no emergency (ALARMS) would be called one.
"""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterator
from typing import Any

from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from rules.intake import lexicon, lines, read, weighing
from tests.intake_eval import scoring

ROOT = pathlib.Path(__file__).resolve().parents[2]
TABLE = ROOT / "rules" / "data" / "danger_weights.tsv"
FIXTURES = ROOT / "tests" / "fixtures" / "intake"
ALARMS = 0.08  # a false alarm costs a look, a miss may cost a life
STRENGTH = 0.3  # of the data against the prior that no word weighs anything
LEAST = 0.03  # a weight below changes nothing
FOLDS, SEED = 8, 1


def labelled() -> Iterator[tuple[dict[str, Any], bool]]:
    """Every case to learn from, and whether it is an emergency."""
    for case in scoring.cases(parts=("tune",)):
        yield case, bool(case["expect"]["emergency"])
    bare = {"id": "", "channel": "sms", "author": "patient", "tags": [], "med_list": []}
    for line in (FIXTURES / "hostile.jsonl").read_text(encoding="utf-8").splitlines():
        yield json.loads(line), False
    for text in filter(None, (FIXTURES / "danger_told.txt").read_text(encoding="utf-8").splitlines()):
        yield {**bare, "messages": [text]}, True
    for path in sorted((scoring.HERE / "said").glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            said = json.loads(line)
            case = {**bare, "messages": said["messages"], "med_list": said.get("med_list", [])}
            yield case, said["label"] == "emergency"


def main() -> None:
    """Learn, print what a held-out eighth says, write the table."""
    known = lexicon.load()
    cases = list(labelled())
    looked = [read.look(thread=lines.thread_of(value=case), lexicon=known) for case, _ in cases]
    texts = [[text for text, _ in one.tokens()] for one in looked]
    truth = [int(is_emergency) for _, is_emergency in cases]
    counting = CountVectorizer(
        analyzer=lambda tokens: {one for one, _ in weighing.features(tokens=tokens)}, min_df=2, binary=True
    )
    rows = counting.fit_transform(texts)
    model = LogisticRegression(C=STRENGTH, max_iter=1000, class_weight="balanced", solver="liblinear")
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    held_out = cross_val_predict(model, rows, truth, cv=folds, method="decision_function")
    calm = sorted(score for score, is_emergency in zip(held_out, truth, strict=True) if not is_emergency)
    threshold = calm[int(len(calm) * (1 - ALARMS))]
    told = [score > threshold for score, is_emergency in zip(held_out, truth, strict=True) if is_emergency]
    share = 100 * sum(told) / len(told)
    print(f"{len(cases)} messages, {sum(truth)} emergencies; of held-out ones {share:.1f} % are told")
    model.fit(rows, truth)
    weights = dict(zip(counting.get_feature_names_out(), model.coef_[0], strict=True))
    kept = sorted((name, weight) for name, weight in weights.items() if abs(weight) >= LEAST)
    kept += [("<intercept>", model.intercept_[0]), ("<threshold>", threshold)]
    rows_of_table = "".join(f"{name}\t{weight:.3f}\n" for name, weight in kept)
    TABLE.write_text("feature\tweight\n" + rows_of_table, encoding="utf-8")
    print(f"{len(kept)} weights written")


if __name__ == "__main__":
    main()
