"""Lines of RRF files: everything that cannot be trusted is refused with file, line and mend."""

import re

import pytest

from rules.rxnorm import rows
from tests.rules.rxnorm import release

LINE = release.conso(code="1", kind="IN", name="one")


def read(data: bytes, *, size: int = 7) -> list[rows.Row]:
    blocks = [data[at : at + size] for at in range(0, len(data), size)]
    return list(rows.rows(blocks=blocks, file="RXNCONSO.RRF", markers=("|RXNORM|",)))


def test_lines_across_blocks_are_put_together_and_counted() -> None:
    other = release.conso(code="2", kind="IN", name="two", source="MMSL")
    found = read(f"{LINE}\n{other}\n{LINE}\n".encode())
    assert [(number, cells[14]) for number, cells in found] == [(1, "one"), (3, "one")]


def test_a_letter_of_several_bytes_may_lie_across_two_blocks() -> None:
    name = "ä€𝄞" * 5
    found = read(f"{release.conso(code='1', kind='IN', name=name)}\n".encode(), size=1)
    assert found[0][1][14] == name


def test_line_ends_of_another_system_are_read() -> None:
    assert len(read(f"{LINE}\r\n{LINE}\r\n".encode())) == 2


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (f"{LINE}\n{LINE[:-30]}\n".encode(), r"RXNCONSO.RRF, line 2: \d+ columns instead of 18; fetch .*\."),
        (f"{LINE}\n{LINE}|\n".encode(), "RXNCONSO.RRF, line 2: 19 columns instead of 18; "),
        (f"{LINE}\n{LINE}x\n".encode(), "RXNCONSO.RRF, line 2: text stands behind the last column; "),
        (f"{LINE}\n{LINE[:-9]}".encode(), "RXNCONSO.RRF, line 2: the last line is cut off; "),
        (f"{LINE}\n{LINE[:-1]}".encode(), "RXNCONSO.RRF, line 2: the last line is cut off; "),
        (f"{LINE}\n{LINE}\n\n".encode(), "RXNCONSO.RRF, line 3: 0 columns instead of 18; "),
        (f"{LINE}\n".encode() + b"\xff" + f"{LINE}\n".encode(), "RXNCONSO.RRF, line 2: the text is not UTF-8; "),
        (f"{LINE}\n".encode() + "é".encode()[:1], "RXNCONSO.RRF, line 2: the last line is cut off; "),
    ],
)
def test_a_faulty_line_is_refused_with_its_place_and_a_mend(data: bytes, sentence: str) -> None:
    for size in (3, 1 << 20):
        with pytest.raises(rows.BadFile) as refused:
            read(data, size=size)
        assert re.match(sentence, str(refused.value)), str(refused.value)
        assert str(refused.value).endswith("unpack it whole.")


def test_a_whole_last_line_without_its_end_is_a_line() -> None:
    assert len(read(f"{LINE}\n{LINE}".encode())) == 2


def test_a_file_without_line_ends_does_not_fill_the_memory() -> None:
    blocks = (b"x" * 100_000 for _ in range(1000))
    with pytest.raises(rows.BadFile, match="line 1: the line has no end"):
        list(rows.rows(blocks=blocks, file="RXNREL.RRF", markers=("x",)))


@pytest.mark.parametrize("text", ["", "0", "12a", "١٢", "1234567890", "-1"])
def test_what_is_no_rxcui_is_refused(text: str) -> None:
    with pytest.raises(rows.BadFile, match=r"RXNSAT.RRF, line 4: '.*' is not an RxCUI"):
        rows.code(text=text, file="RXNSAT.RRF", line=4)
