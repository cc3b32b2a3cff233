"""The shipped vocabulary: complete enough, small enough, and honest about what it lacks."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import rules
from rules.intake import lexicon, plain_words
from rules.intake.lexicon import NameKind

LEXICON = lexicon.load()
DATA = pathlib.Path(rules.__file__).parent / "data"
PROTOCOL_INGREDIENTS = (
    "lisinopril losartan valsartan hydrochlorothiazide chlorthalidone furosemide spironolactone metoprolol"
    " carvedilol amlodipine diltiazem"
    " clonidine atorvastatin rosuvastatin ezetimibe fenofibrate metformin glipizide empagliflozin sitagliptin"
    " semaglutide levothyroxine"
    " sertraline escitalopram bupropion omeprazole pantoprazole famotidine fluticasone tiotropium montelukast"
    " albuterol cetirizine"
    " tamsulosin finasteride alendronate allopurinol apixaban clopidogrel warfarin lamotrigine quetiapine"
    " ibuprofen sumatriptan acyclovir"
    " sildenafil donepezil amoxicillin prednisone methotrexate oxycodone alprazolam gabapentin pregabalin"
    " tramadol testosterone"
).split()


def test_every_ingredient_of_the_refill_protocols_is_known() -> None:
    missing = [name for name in PROTOCOL_INGREDIENTS if name not in LEXICON.known_ingredients]
    assert not missing


def test_no_everyday_word_of_a_plain_ask_is_read_as_a_drug() -> None:
    drugs = [word for word in plain_words.ALL if word in LEXICON.names and LEXICON.names[word].kind is NameKind.hint]
    assert not drugs


def test_lay_names_and_look_alikes_name_known_ingredients() -> None:
    rows = [line.split("\t") for line in (DATA / "look_alikes.tsv").read_text(encoding="utf-8").splitlines()[1:]]
    unknown = [word for row in rows for word in row if " ".join(word.split("-")) not in LEXICON.names]
    assert len(unknown) < len(rows) * 0.25  # some partners are brands long off the market


def test_loading_takes_less_than_a_second_and_sixty_megabytes() -> None:
    code = (
        "import resource, time; from rules.intake import letters; a ="
        " resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; t = time.process_time();"
        "from rules.intake import lexicon; lexicon.load();"
        "print(time.process_time() - t, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - a) / 1024)"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=DATA.parent.parent
    )
    seconds, megabytes = map(float, out.stdout.split())
    assert seconds < 1.0
    assert megabytes < 60


def test_the_data_stays_small_and_carries_its_notice() -> None:
    manifest = json.loads((DATA / "MANIFEST.json").read_text(encoding="utf-8"))
    assert "National Library of Medicine" in manifest["notice"]
    assert manifest["counts"]["lexicon_products.tsv"] > 20_000
    assert manifest["missing"]["ingredients_without_rxcui"]
    ours = [*DATA.glob("lexicon*"), *DATA.glob("dea*"), *DATA.glob("lay_names*"), DATA / "MANIFEST.json"]
    assert sum(path.stat().st_size for path in ours) < 4_000_000


def test_an_unknown_ingredient_has_no_schedule() -> None:
    assert LEXICON.schedule(ingredients=("foozle",)) is lexicon.Schedule.unknown
    assert LEXICON.schedule(ingredients=()) is lexicon.Schedule.unknown
    assert LEXICON.schedule(ingredients=("lisinopril", "foozle")) is lexicon.Schedule.unknown
    assert LEXICON.schedule(ingredients=("lisinopril", "oxycodone")) is lexicon.Schedule.ii


def test_the_reader_imports_nothing_but_itself_the_standard_library_and_rapidfuzz() -> None:
    code = (
        "import sys; from rules.intake import read; print([m for m in sys.modules "
        "if m.split('.')[0] in ('django', 'requests', 'celery')])"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=DATA.parent.parent
    )
    assert out.stdout.strip() == "[]"
