"""Finding a release in folder or zip, and reading it in pieces."""

import zipfile
from datetime import date
from pathlib import Path

import pytest

from rules.releases import files
from rules.rxnorm.rows import BadFile
from tests.rules.rxnorm import release
from tests.rules.rxnorm.test_reading import norco


def quiet(name: str, done: int, total: int) -> None:
    """Nobody listens."""


def content(found: files.Release, name: str = "RXNREL.RRF") -> bytes:
    return b"".join(found.blocks(name=name, say=quiet))


@pytest.mark.parametrize("inside", ["", "rrf/", "prescribe/rrf/"])
def test_a_release_is_found_in_folder_and_zip(tmp_path: Path, inside: str) -> None:
    made = norco()
    made.write(tmp_path / "folder" / inside)
    made.write_zip(tmp_path / "release.zip", inside=inside)
    for path in (tmp_path / "folder", tmp_path / "release.zip"):
        found = files.find(path=path)
        assert found.inside == inside
        assert content(found) == made.bytes_of("RXNREL.RRF")
    assert not list(tmp_path.parent.glob("outside.txt"))
    assert sorted(one.name for one in tmp_path.iterdir()) == ["folder", "release.zip"]


def test_the_full_release_is_taken_before_the_subset_inside_it(tmp_path: Path) -> None:
    norco().write(tmp_path / "rrf")
    norco().write(tmp_path / "prescribe" / "rrf")
    assert files.find(path=tmp_path).inside == "rrf/"


@pytest.mark.parametrize("missing", files.NEEDED)
def test_a_missing_file_is_named(tmp_path: Path, missing: str) -> None:
    (norco().write(tmp_path / "rrf") / missing).unlink()
    with pytest.raises(BadFile, match=rf"rrf/{missing}: the file is missing; fetch the release again"):
        files.find(path=tmp_path)


def test_a_path_without_a_release_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="there is no such file or folder; check the path"):
        files.find(path=tmp_path / "nowhere")
    with pytest.raises(BadFile, match="are not in it, in rrf/ or in prescribe/rrf/; give the folder"):
        files.find(path=tmp_path)
    (tmp_path / "x.zip").write_bytes(b"PK no zip")
    with pytest.raises(BadFile, match="it is neither a folder nor a whole zip"):
        files.find(path=tmp_path / "x.zip")


def test_a_damaged_zip_is_refused_while_it_is_read(tmp_path: Path) -> None:
    path = norco().write_zip(tmp_path / "release.zip")
    with zipfile.ZipFile(path) as archive:
        at = archive.getinfo("rrf/RXNREL.RRF").header_offset + 60
    data = bytearray(path.read_bytes())
    data[at : at + 20] = bytes(20)
    path.write_bytes(data)
    with pytest.raises(BadFile, match=r"release\.zip: RXNREL.RRF inside it cannot be unpacked"):
        content(files.find(path=path))


def test_fingerprints_follow_the_content_not_the_date(tmp_path: Path) -> None:
    one, two = files.find(path=norco().write(tmp_path / "a")), files.find(path=norco().write(tmp_path / "b"))
    assert one.fingerprints(say=quiet) == two.fingerprints(say=quiet)
    with (tmp_path / "b" / "RXNSAT.RRF").open("ab") as more:
        more.write(b"1")
    changed = two.fingerprints(say=quiet)
    assert changed[:2] == one.fingerprints(say=quiet)[:2]
    assert changed[2] != one.fingerprints(say=quiet)[2]


def test_progress_ends_with_the_whole_file(tmp_path: Path) -> None:
    said: list[tuple[str, int, int]] = []
    found = files.find(path=norco().write(tmp_path))
    for _ in found.blocks(name="RXNREL.RRF", say=lambda *told: said.append(told)):
        pass
    size = (tmp_path / "RXNREL.RRF").stat().st_size
    assert said == [("RXNREL.RRF", size, size)]


def test_dates_come_from_folder_zip_read_me_and_sources(tmp_path: Path) -> None:
    made = norco()
    folder = tmp_path / "RxNorm_full_10062025"
    made.write(folder / "rrf")
    for path in (folder, folder / "rrf"):
        assert set(files.find(path=path).dates().values()) == {date(2025, 10, 6)}
    made.sab = release.sources(mark="20AA_251103F")
    path = made.write_zip(tmp_path / "RxNorm_full_10062025.zip")
    assert set(files.find(path=path).dates().values()) == {date(2025, 10, 6), date(2025, 11, 3)}
    plain = made.write(tmp_path / "plain")
    (plain / "Readme_Full_11032025.txt").write_text("November")
    assert files.find(path=plain).dates() == {
        "Readme_Full_11032025.txt": date(2025, 11, 3),
        "RXNSAB.RRF": date(2025, 11, 3),
    }
