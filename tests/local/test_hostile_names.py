"""Whatever an object is called, the stand-in for Cloud Storage refuses it or keeps it in its bucket."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.gcs_folder import GcsFolder, Preconditions, StorageError
from local.gcs_listing import Listing
from tests.fuzzing import fuzzed

PIECES = [
    *("..", ".", "/", "//", "../", "/..", "a", "b/", "\\"),
    *("..\\", "~", "%2e%2e", "%2F", "%00", "\0", "\n", "\r"),
    *("'", '"', "`", "$(x)", ";", "|", "&", "*", "?", "[a]"),
    *("[", "{a,b}", "{", "!", ":", "#", "=", " ", "\t"),
    *("ü", "u\u0308", "\u202e", "\u2028", "\ufeff", "日本"),
    *("\ud800", "x" * 300, "y" * 100, ".crc", ".uploads"),
]
NAMES = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), min_size=1, max_size=14).map("".join)
LONGEST = 1024  # bytes of a name, by Cloud Storage's documentation


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> GcsFolder:
    root = tmp_path_factory.mktemp("store") / "gcs"
    store = GcsFolder(root)
    for bucket in ("bronze", "other"):
        store.create_bucket(bucket)
    store.commit("other", "secret", store.spool(), {}, Preconditions())
    return store


def outside(store: GcsFolder) -> set[Path]:
    """Everything around the bucket."""
    return {path for path in store.root.parent.rglob("*") if not path.is_relative_to(store.root / "bronze")}


def test_any_name_stays_in_its_bucket_or_is_refused(store: GcsFolder) -> None:
    before = outside(store)

    @fuzzed
    @given(NAMES)
    def holds(name: str) -> None:
        for look in (store.find, store.stat):
            try:
                look("bronze", name)
            except StorageError as error:
                assert error.status in (400, 404)
        try:
            stored = store.commit("bronze", name, store.spool(), {}, Preconditions())
        except StorageError as error:
            assert error.status in (400, 409)
        else:
            assert stored.path.resolve().is_relative_to(store.root / "bronze")
            assert not {"\r", "\n"} & set(name) and len(name.encode()) <= LONGEST
            if not name.endswith("/"):
                assert name in store.names("bronze", name) or name.endswith(".crc")
                store.delete("bronze", name, Preconditions())
        assert outside(store) == before
        shutil.rmtree(store.root / "bronze")
        store.create_bucket("bronze")

    holds()


def test_any_prefix_lists_what_begins_with_it(store: GcsFolder) -> None:
    there = {"a", "b/a", "b/..a", "b/[a]", "b/*", "x" * 100}
    for name in there:
        store.commit("bronze", name, store.spool(), {}, Preconditions())

    @fuzzed
    @given(NAMES | st.sampled_from(["", "b/", "b/*", "b/[", "../other/", "b/../../other/"]), NAMES)
    def holds(prefix: str, delimiter: str) -> None:
        names = set(store.names("bronze", prefix))
        assert {name for name in there if name.startswith(prefix)} <= names
        assert all(name.startswith(prefix) for name in names) and "secret" not in names
        page = Listing(prefix, delimiter).page(names)
        assert all(name.startswith(prefix) for name in (*page.names, *page.prefixes))

    holds()


@pytest.mark.parametrize(
    "name",
    ["a\nb", "a\rb", "a\ud800", "a/" * 512 + "a", "/".join(["é" * 100] * 6)],
    ids=["newline", "return", "surrogate", "long", "many bytes"],
)
def test_a_name_that_cloud_storage_would_refuse_is_refused(store: GcsFolder, name: str) -> None:
    with pytest.raises(StorageError, match="Invalid object name"):
        store.commit("bronze", name, store.spool(), {}, Preconditions())
