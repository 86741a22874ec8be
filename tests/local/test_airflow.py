"""The keys of the local Airflow, whose servers of logs other machines can reach."""

from local.airflow import settings

KEYS = ("AIRFLOW__API__SECRET_KEY", "AIRFLOW__API_AUTH__JWT_SECRET")


def test_each_start_has_keys_of_its_own() -> None:
    keys = [start[name] for start in (settings(1, 2, 3), settings(1, 2, 3)) for name in KEYS]
    assert len(set(keys)) == 4
    assert min(map(len, keys)) >= 43  # 32 bytes in base64
