"""`make rollback`: points a model back to the version that was live before."""

import argparse
import sys

from deploy.errors import signed_in
from local.following import run_command, say
from local.query import on_kept_data
from medallion.environments import load_environment
from medallion.models import load_model
from medallion.pointer import read_pointer, roll_back


def main(argv: list[str] | None = None) -> int:
    arguments = _arguments(argv)
    return run_command(lambda: _roll_back(arguments.model, arguments.environment))


def _roll_back(model: str, place: str) -> None:
    load_model(model)  # says so where there is none of that name
    environment = load_environment(place)
    name = environment.buckets["models"]
    if place != load_environment("local").name:
        from google.cloud import storage

        with signed_in():
            point_back(storage.Client(environment.project).bucket(name), model)
        return
    on_kept_data(lambda cloud: point_back(cloud.storage().bucket(name), model))


def point_back(bucket: object, model: str) -> None:
    """Moves a model's pointer back, and says from where to where."""
    before = roll_back(bucket, model)
    after = read_pointer(bucket, model)
    say(f"{model}: {after.version} is live again; {before.version} will not be promoted again.")


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make rollback", description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--environment", default="local", help="a file in conf/environments")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
