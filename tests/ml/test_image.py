from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_image_has_the_packages_that_the_tests_ran_with() -> None:
    lines = (ROOT / "ml/image/requirements.txt").read_text().splitlines()
    wanted = {line for line in lines if not line.startswith("#")}
    locked = {
        line.split()[0] for line in (ROOT / "requirements/pipeline.txt").read_text().splitlines() if line
    }
    assert {line.partition("==")[0] for line in wanted} >= {"keras", "tensorflow-cpu", "scikit-learn"}
    assert wanted <= locked
