import os
import pickle
import stat
import zipfile
import zlib

import pytest

from ovrisisbench.errors import DataError
from ovrisisbench.prepare.download import sources
from ovrisisbench.prepare.download.archives import close_archives
from ovrisisbench.prepare.download.sources import scan
from tests.drawn.isaid import write_zip


@pytest.fixture(autouse=True)
def _closed_archives():
    yield
    close_archives()


def paths(root):
    return [entry.path for entry in scan(root).entries]


def test_files_and_zip_members_are_listed_alike_and_sorted(tmp_path):
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "b.png").write_bytes(b"on disk")
    write_zip(tmp_path / "train" / "a.ZIP", {"images/c.png": b"in zip"})
    first, second = scan(tmp_path).entries
    assert (first.path, second.path) == ("train/a.ZIP/images/c.png", "train/b.png")
    assert first.folders == ("train", "a", "images")
    assert (first.name, first.stem) == ("c.png", "c")
    with first.open() as one, second.open() as other:
        assert (one.read(), other.read()) == (b"in zip", b"on disk")


def test_a_single_zip_may_be_given_itself(tmp_path):
    archive = write_zip(tmp_path / "val.zip", {"P0003.png": b"x"})
    (entry,) = scan(archive).entries
    assert entry.path == "val.zip/P0003.png"
    assert entry.folders == ("val",)


def test_reading_extracts_nothing(tmp_path):
    archive = write_zip(tmp_path / "a.zip", {"x.png": b"x"})
    scan(archive).entries[0].open().close()
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


def test_rubbish_of_operating_systems_is_left_out(tmp_path):
    write_zip(
        tmp_path / "a.zip",
        {"__MACOSX/x.png": b"", "a/._x.png": b"", "a/.DS_Store": b"", "a/Thumbs.db": b"", "a/x.png": b"1"},
    )
    (tmp_path / "desktop.ini").write_text("x")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "y.png").write_bytes(b"y")
    assert paths(tmp_path) == ["a.zip/a/x.png"]


def test_entries_survive_pickling(tmp_path):
    write_zip(tmp_path / "a.zip", {"x.png": b"content"})
    entry = pickle.loads(pickle.dumps(scan(tmp_path).entries[0]))
    with entry.open() as stream:
        assert stream.read() == b"content"


@pytest.mark.parametrize("name", ["../x.png", "a/../../x.png", "/etc/x.png", "C:/x.png"])
def test_members_that_point_outside_are_refused(tmp_path, name):
    write_zip(tmp_path / "bad.zip", {name: b"x"})
    with pytest.raises(DataError, match=r"bad\.zip: member '.*' points outside the archive"):
        scan(tmp_path)


def test_links_in_archives_are_refused(tmp_path):
    info = zipfile.ZipInfo("images/P0003.png")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(DataError, match="is a link"):
        scan(tmp_path)


def test_implausibly_large_members_are_not_opened(tmp_path, monkeypatch):
    write_zip(tmp_path / "bomb.zip", {"P0003.png": bytes(5000)})
    (entry,) = scan(tmp_path).entries
    monkeypatch.setattr(sources, "MAX_MEMBER_BYTES", 4999)
    with pytest.raises(DataError, match="do not use this archive"):
        entry.open()


def test_an_archive_with_implausibly_many_members_is_refused(tmp_path, monkeypatch):
    write_zip(tmp_path / "bomb.zip", {f"{number}.png": b"" for number in range(5)})
    monkeypatch.setattr(sources, "MAX_MEMBERS", 4)
    with pytest.raises(DataError, match="lists 5 members"):
        scan(tmp_path)


def test_a_password_is_named_as_the_reason_only_when_the_member_is_needed(tmp_path):
    archive = write_zip(tmp_path / "isprs.zip", {"x.png": b"x" * 50})
    content = bytearray(archive.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    archive.write_bytes(content)
    (entry,) = scan(tmp_path).entries
    with pytest.raises(DataError, match=r"protected by a password; unpack isprs\.zip first"):
        entry.open()


def test_a_packing_method_that_python_lacks_is_named(tmp_path):
    archive = write_zip(tmp_path / "windows.zip", {"x.png": b"x" * 50})
    content = bytearray(archive.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        content[content.index(signature) + offset] = 9
    archive.write_bytes(content)
    (entry,) = scan(tmp_path).entries
    with pytest.raises(DataError, match=r"packed by method 9; unpack windows\.zip with 7z"):
        entry.open()


def test_a_cut_off_zip_is_named(tmp_path):
    archive = write_zip(tmp_path / "part1.zip", {"x.png": b"x" * 5000})
    archive.write_bytes(archive.read_bytes()[:60])
    with pytest.raises(DataError, match=r"part1\.zip is no complete zip"):
        scan(tmp_path)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "does not exist"),
        (lambda path: path.mkdir(), "holds no files"),
        (lambda path: path.write_text("hello"), "neither a folder nor a zip"),
    ],
)
def test_a_wrong_place_is_one_sentence(tmp_path, make, message):
    make(tmp_path / "download")
    with pytest.raises(DataError, match=message):
        scan(tmp_path / "download")


def nested(tmp_path, method, depth=1):
    content = write_zip(tmp_path / "inner.zip", {"a/x.tif": b"II*x" * 50, "y.png": b"y"}).read_bytes()
    (tmp_path / "inner.zip").unlink()
    outer = tmp_path / "Potsdam.zip"
    for level in range(depth):
        with zipfile.ZipFile(outer, "w", method) as archive:
            archive.writestr("README.txt", b"read me")
            archive.writestr(f"Potsdam/{level}_Ortho.zip", content)
        content = outer.read_bytes()
    return outer


def test_a_zip_stored_in_a_zip_is_read_in_place(tmp_path):
    outer = nested(tmp_path, zipfile.ZIP_STORED)
    entries = {entry.path: entry for entry in scan(outer).entries}
    entry = entries["Potsdam.zip/Potsdam/0_Ortho.zip/a/x.tif"]
    assert entry.folders == ("Potsdam", "Potsdam", "0_Ortho", "a")
    with entry.open() as stream:
        assert stream.read() == b"II*x" * 50
    assert list(tmp_path.iterdir()) == [outer]


def test_three_zips_inside_each_other_are_read_and_a_fourth_is_named(tmp_path):
    deep = nested(tmp_path, zipfile.ZIP_STORED, depth=3)
    (entry,) = [entry for entry in scan(deep).entries if entry.name == "y.png"]
    with entry.open() as stream:
        assert stream.read() == b"y"
    deeper = nested(tmp_path, zipfile.ZIP_STORED, depth=4)
    assert any("more than 3 zips" in reason for reason in scan(deeper).not_read)


def test_a_zip_compressed_in_a_zip_is_unpacked_to_the_scratch_folder(tmp_path):
    outer = nested(tmp_path, zipfile.ZIP_DEFLATED)
    assert scan(outer).not_read == ("Potsdam.zip/Potsdam/0_Ortho.zip (a compressed zip inside a zip, unpack it)",)
    source = scan(outer, scratch=tmp_path / "scratch")
    (entry,) = [entry for entry in source.entries if entry.name == "x.tif"]
    with entry.open() as stream:
        assert stream.read() == b"II*x" * 50
    (unpacked,) = (tmp_path / "scratch").iterdir()
    before = unpacked.stat().st_mtime_ns
    assert scan(outer, scratch=tmp_path / "scratch").entries == source.entries
    assert unpacked.stat().st_mtime_ns == before


def test_an_inner_zip_that_would_fill_the_disk_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.zip", bytes(3_000_000))
    monkeypatch.setattr(sources, "MAX_INNER_RATIO", 2)
    with pytest.raises(DataError, match=r"bomb\.zip/inner\.zip would unpack from 0\.0 MiB"):
        scan(tmp_path, scratch=tmp_path / "scratch")
    monkeypatch.setattr(sources, "MAX_INNER_RATIO", 100)
    monkeypatch.setattr(sources, "MAX_INNER_BYTES", 1000)
    with pytest.raises(DataError, match="do not use this archive"):
        scan(tmp_path, scratch=tmp_path / "scratch")
    assert not (tmp_path / "scratch").exists()


def test_among_all_sorts_of_things_a_broken_zip_is_noted_and_the_rest_is_read(tmp_path):
    (tmp_path / "broken.zip").write_bytes(b"PK\3\4 and no more")
    (tmp_path / "movie.rar").write_bytes(b"Rar!")
    (tmp_path / "x.png").write_bytes(b"x")
    with pytest.raises(DataError, match="no complete zip"):
        scan(tmp_path)
    source = scan(tmp_path, skip_broken=True)
    assert [entry.path for entry in source.entries] == ["movie.rar", "x.png"]
    assert len(source.not_read) == 2
    assert "archives .rar are not read" in source.not_read[1]


def test_linked_folders_are_followed_once(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "x.png").write_bytes(b"x")
    (tmp_path / "download").mkdir()
    (tmp_path / "download" / "train").symlink_to(tmp_path / "real", target_is_directory=True)
    (tmp_path / "real" / "loop").symlink_to(tmp_path / "download", target_is_directory=True)
    assert paths(tmp_path / "download") == ["train/x.png"]


def test_the_stamp_changes_with_the_content(tmp_path):
    write_zip(tmp_path / "a.zip", {"x.png": b"one"})
    before = scan(tmp_path).entries[0].identity
    write_zip(tmp_path / "a.zip", {"x.png": b"two"})
    assert scan(tmp_path).entries[0].identity != before
    (tmp_path / "y.png").write_bytes(b"one")
    os.utime(tmp_path / "y.png", ns=(1, 1))
    before = scan(tmp_path).entries[1].identity
    os.utime(tmp_path / "y.png", ns=(1, 2))
    assert scan(tmp_path).entries[1].identity != before


def test_crc_of_a_file_and_of_a_member_agree(tmp_path):
    content = os.urandom(3_000_000)
    write_zip(tmp_path / "a.zip", {"x.png": content})
    (tmp_path / "x.png").write_bytes(content)
    member, file = scan(tmp_path).entries
    assert member.crc32() == file.crc32() == zlib.crc32(content)
