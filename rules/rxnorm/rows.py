"""The lines of an RRF file, checked one by one: encoding, number of columns, the end of the last line.

Takes blocks of bytes and never holds more than one of them, so that a file of gigabytes costs no more than a small one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

# Columns as in the RxNorm technical documentation; every line ends with a further "|".
COLUMNS = {"RXNCONSO.RRF": 18, "RXNREL.RRF": 16, "RXNSAT.RRF": 13}
LONGEST_LINE = 1 << 20  # bytes; a file without line ends is no RRF file and must not fill the memory
LARGEST_CODE = 999_999_999  # an RxCUI has at most nine digits in our tables
AGAIN = "fetch the release again and unpack it whole"

Row = tuple[int, list[str]]  # line number, cells


class BadFile(ValueError):
    """A source file that cannot be trusted: one sentence with file, line (0: the whole file) and mend."""

    def __init__(self, *, file: str, fault: str, line: int = 0, mend: str = AGAIN) -> None:
        place = f"{file}, line {line}" if line else file
        super().__init__(f"{place}: {fault}; {mend}.")


def rows(*, blocks: Iterable[bytes], file: str, markers: tuple[str, ...]) -> Iterator[Row]:
    """Number and cells of each line that holds one of at most two `markers`; the others are checked all the same.

    Raises BadFile: not UTF-8, wrong number of columns, a last line cut off, a line of absurd length.
    """
    columns = COLUMNS[file]
    one, two = markers[0], markers[-1]
    number = 0
    for text in _texts(blocks=blocks, file=file):
        for line in text:
            number += 1
            if line.count("|") != columns or line[-1] != "|":
                raise BadFile(file=file, line=number, fault=_miscounted(line, columns))
            if one in line or two in line:
                yield number, line.split("|")


def code(*, text: str, file: str, line: int) -> int:
    """An RxCUI as a number. Raises BadFile."""
    if not (text.isascii() and text.isdigit()) or not 0 < int(text) <= LARGEST_CODE:
        raise BadFile(file=file, line=line, fault=f"{text[:20]!r} is not an RxCUI")
    return int(text)


def _texts(*, blocks: Iterable[bytes], file: str) -> Iterator[list[str]]:
    """Whole lines of each block, without their ends."""
    rest, done, columns = b"", 0, COLUMNS[file]
    for block in blocks:
        whole = rest + block
        end = whole.rfind(b"\n") + 1
        rest = whole[end:]
        if len(rest) > LONGEST_LINE:
            raise BadFile(file=file, line=done + whole.count(b"\n") + 1, fault="the line has no end")
        if end:
            lines = _decoded(whole[:end], file=file, done=done).split("\n")[:-1]
            done += len(lines)
            yield lines
    if rest:
        last = _decoded(rest, file=file, done=done, is_last=True)
        if last.count("|") != columns or not last.endswith("|"):
            raise BadFile(file=file, line=done + 1, fault="the last line is cut off")
        yield [last]


def _decoded(data: bytes, *, file: str, done: int, is_last: bool = False) -> str:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        if is_last and error.reason == "unexpected end of data":
            raise BadFile(file=file, line=done + 1, fault="the last line is cut off") from error
        line = done + data.count(b"\n", 0, error.start) + 1
        raise BadFile(file=file, line=line, fault="the text is not UTF-8") from error
    return text.replace("\r", "") if "\r" in text else text  # unpacked by a program that changes line ends


def _miscounted(line: str, columns: int) -> str:
    found = line.count("|")
    if found != columns:
        return f"{found} columns instead of {columns}"
    return "text stands behind the last column"
