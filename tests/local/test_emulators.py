"""Google's emulators are found where the Cloud SDK has them."""

from pathlib import Path

import pytest

from local import emulators
from local.emulators import NoEmulatorError, emulator_jar, pubsub_emulator


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without the SDK; returns a folder for one."""
    monkeypatch.setattr(emulators, "PLACES", (str(tmp_path / "debian"),))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.delenv("CLOUDSDK_ROOT_DIR", raising=False)
    return tmp_path


def install(sdk: Path, version: str = "0.8.20") -> Path:
    """Puts an empty jar where an SDK has that of Pub/Sub."""
    jar = sdk / f"platform/pubsub-emulator/lib/cloud-pubsub-emulator-{version}-all.jar"
    jar.parent.mkdir(parents=True, exist_ok=True)
    jar.touch()
    return jar


def test_an_emulator_that_is_not_installed_says_how_it_is(nowhere: Path) -> None:
    assert emulator_jar("pubsub") is None
    with pytest.raises(NoEmulatorError, match="gcloud components install pubsub-emulator, or apt-get"):
        pubsub_emulator(1)


def test_debian_has_it_in_a_place_of_its_own(nowhere: Path) -> None:
    assert install(nowhere / "debian") == emulator_jar("pubsub")


def test_gcloud_leads_to_its_sdk_through_a_link(nowhere: Path) -> None:
    install(nowhere / "debian")
    jar = install(nowhere / "sdk")
    (nowhere / "sdk" / "bin").mkdir()
    (nowhere / "sdk" / "bin" / "gcloud").touch(mode=0o755)
    (nowhere / "path").mkdir()
    (nowhere / "path" / "gcloud").symlink_to(nowhere / "sdk" / "bin" / "gcloud")
    assert emulator_jar("pubsub") == jar


def test_the_sdk_that_is_named_comes_first(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(nowhere / "debian")
    jar = install(nowhere / "named")
    monkeypatch.setenv("CLOUDSDK_ROOT_DIR", str(nowhere / "named"))
    assert emulator_jar("pubsub") == jar
