"""Pregnancy, planning and breastfeeding on a problem list: by code, by words, and unsure where words deny it."""

import pytest

from rules import pregnancy


@pytest.mark.parametrize(
    ("words", "code", "version", "found"),
    [
        ("", "O0990", "10", True),
        ("", "O9A119", "10", True),
        ("", "O94", "10", False),
        ("", "Z331", "10", True),
        ("", "Z3201", "10", True),
        ("", "Z3202", "10", False),
        ("", "Z3490", "10", True),
        ("", "Z3A12", "10", True),
        ("", "Z3169", "10", True),
        ("", "Z392", "10", True),
        ("", "Z87", "10", False),
        ("", "650", "9", True),
        ("", "V220", "9", True),
        ("", "6929", "9", False),
        ("Pregnant, 12 weeks", "", "10", True),
        ("Breast feeding", "", "10", True),
        ("Trying to conceive", "", "10", True),
        ("History of pregnancy loss", "", "10", None),
        ("Not pregnant", "", "10", None),
        ("Hypertension", "I10", "10", False),
        ("", "", "10", False),
    ],
)
def test_an_entry_is_read(words: str, code: str, version: str, found: bool | None) -> None:
    assert pregnancy.is_spoken_of(entries=[("Hypertension", "I10", "10"), (words, code, version)]) is found


def test_an_empty_list_speaks_of_none() -> None:
    assert pregnancy.is_spoken_of(entries=[]) is False
