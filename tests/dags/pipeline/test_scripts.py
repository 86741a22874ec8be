"""What bounds every job and question of the pipeline."""

from medallion.environments import load_environment
from pipeline.scripts import client, script


def test_no_query_is_billed_for_more_than_the_environment_allows(emulators: None) -> None:
    environment = load_environment("local")
    limit = environment.max_bytes_billed
    assert script(environment, "SELECT 1", {})["query"]["maximumBytesBilled"] == str(limit)
    assert client(environment).default_query_job_config.maximum_bytes_billed == limit
