"""A manifest survives its trip, and a run's identity is what it processes."""

from medallion.manifest import Manifest, SourceFile, run_id

A = SourceFile("gs://b/a.csv", 1, 10, "x")
B = SourceFile("gs://b/b.csv", 1, 10, "y")


def test_a_manifest_reads_back_as_written() -> None:
    manifest = Manifest("p", "r1", "abc", {"name": "p"}, (A, B), "gs://lake/runs/p/r1")
    assert Manifest.from_json(manifest.to_json()) == manifest


def test_the_order_of_files_does_not_matter() -> None:
    assert run_id("p", "c", "r", (A, B)) == run_id("p", "c", "r", (B, A))


def test_a_new_generation_is_another_run() -> None:
    newer = SourceFile(A.uri, 2, A.size, A.checksum)
    assert run_id("p", "c", "r", (newer,)) != run_id("p", "c", "r", (A,))


def test_a_mended_contract_is_another_run() -> None:
    assert run_id("p", "mended", "r", (A,)) != run_id("p", "c", "r", (A,))


def test_other_code_is_another_run() -> None:
    assert run_id("p", "c", "new", (A,)) != run_id("p", "c", "r", (A,))


def test_a_run_id_fits_a_batch_id() -> None:
    assert len(f"clean-{run_id('p', 'c', 'r', (A,))}-1") <= 63
