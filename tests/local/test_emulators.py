"""Google's emulators are found where the Cloud SDK has them."""

from pathlib import Path

import pytest

from local import emulators, mariadb
from local.emulators import NoEmulatorError, emulator_jar, firestore_emulator, pubsub_emulator
from local.sources import FIRESTORE, connections, sources_of, without_missing
from medallion.products import load_product


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
    needed = sources_of([load_product("sales"), load_product("weather")])
    said: list[str] = []
    assert needed == ["firestore", "open_meteo"]
    assert without_missing(needed, said.append) == ["open_meteo"]
    (told,) = said
    assert told.startswith("Google's firestore emulator is not installed. Next: gcloud components install")
    assert told.endswith("Until then that part is left out.")
    assert connections([], {}) == {"FIRESTORE_EMULATOR_HOST": "", "PUBSUB_EMULATOR_HOST": ""}


def test_documents_are_written_where_it_has_one(nowhere: Path) -> None:
    jar = nowhere / "debian" / "platform" / "cloud-firestore-emulator" / "cloud-firestore-emulator.jar"
    jar.parent.mkdir(parents=True)
    jar.touch()
    said: list[str] = []
    assert without_missing(["firestore", "open_meteo"], said.append) == ["firestore", "open_meteo"]
    assert said == []
    assert connections(["firestore"], {"firestore": 8})["FIRESTORE_EMULATOR_HOST"] == "127.0.0.1:8"
    assert str(jar) in firestore_emulator(8).command


def test_all_that_is_missing_is_said(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mariadb, "PLACES", str(nowhere))
    said: list[str] = []
    assert without_missing(["bike_database", "firestore", "pubsub"], said.append) == []
    assert [told.partition(" is not installed")[0] for told in said] == [
        "MariaDB",
        "Google's firestore emulator",
        "Google's pubsub emulator",
    ]
    assert said[2].endswith("Until then no file announces itself; make land starts the run.")


def test_a_run_cannot_do_without_its_source(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mariadb, "PLACES", str(nowhere))
    needed = sources_of([load_product("bike_stations")])
    with pytest.raises(mariadb.NoDatabaseError, match="apt-get install mariadb-server"):
        without_missing(needed, print, optional=(FIRESTORE,))
    with pytest.raises(NoEmulatorError, match="pubsub emulator is not installed"):
        without_missing(["pubsub"], print, optional=())
