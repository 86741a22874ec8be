"""Google's emulators are found where the Cloud SDK has them."""

from pathlib import Path

import pytest

from local import emulators
from local.emulators import NoEmulatorError, emulator_jar, firestore_emulator, pubsub_emulator
from local.sources import connections, left_out, sources_of
from medallion.config import load_product


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


def test_documents_are_left_out_where_firestore_has_no_emulator_and_that_is_said(nowhere: Path) -> None:
    weather, sales = load_product("weather"), load_product("sales")
    assert sources_of([weather]) == ["open_meteo"]
    (said,) = left_out([sales, weather])
    assert str(said).startswith(
        "Google's firestore emulator is not installed. Next: gcloud components install"
    )
    assert left_out([sales]) == []
    assert connections([], {}) == {"FIRESTORE_EMULATOR_HOST": ""}


def test_documents_are_written_where_it_has_one(nowhere: Path) -> None:
    jar = nowhere / "debian" / "platform" / "cloud-firestore-emulator" / "cloud-firestore-emulator.jar"
    jar.parent.mkdir(parents=True)
    jar.touch()
    weather = load_product("weather")
    assert (sources_of([weather]), left_out([weather])) == (["firestore", "open_meteo"], [])
    assert connections(["firestore"], {"firestore": 8}) == {"FIRESTORE_EMULATOR_HOST": "127.0.0.1:8"}
    assert str(jar) in firestore_emulator(8).command
