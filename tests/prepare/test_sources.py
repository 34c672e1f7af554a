import os
import pickle
import stat
import zipfile
import zlib

import pytest

from ovrisisbench.errors import DataError
from ovrisisbench.prepare import sources
from ovrisisbench.prepare.sources import close_archives, scan
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


def test_zips_inside_zips_are_remembered_for_the_message(tmp_path):
    inner = write_zip(tmp_path / "inner.zip", {"x.png": b"x"}).read_bytes()
    (tmp_path / "inner.zip").unlink()
    write_zip(tmp_path / "outer.zip", {"masks/inner.zip": inner})
    assert scan(tmp_path).inner_archives == ("outer.zip/masks/inner.zip",)


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
