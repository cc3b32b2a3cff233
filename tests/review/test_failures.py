"""Every code the network can answer has a meaning, a step and an entry in the runbook that exists."""

import re

import pytest

from integrations.surescripts import script_codes
from review import failures

CODES = [*script_codes.ERROR_CODES, *(f"900 / {code}" for code in script_codes.DESCRIPTION_CODES)]


@pytest.mark.parametrize("code", CODES)
def test_a_code_of_the_contract_is_explained_and_its_runbook_entry_exists(code, root):
    found = failures.explain(code)
    assert found is not None
    assert (found.code, bool(found.meaning), bool(found.step)) == (code, True, True)
    headings = re.findall(r"^## (.+)$", (root / "docs" / "runbook.md").read_text(), re.MULTILINE)
    assert found.runbook in headings


@pytest.mark.parametrize("code", ["900 / 008", "900 / 4010", "900 / 4020", "602"])
def test_a_doubtful_code_never_says_send_again(code):
    found = failures.explain(code)
    assert "send again" not in found.step.lower()
    assert "Call" in found.step


def test_no_code_is_no_failure_and_an_unknown_one_says_so_much():
    assert failures.explain("") is None
    found = failures.explain("HTTP 418")
    assert (found.code, found.meaning) == ("HTTP 418", "")
    assert "as received" in found.step
