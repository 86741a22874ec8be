"""A product's part of the bronze bucket, where objects are made once and never changed."""

from dataclasses import dataclass
from pathlib import Path

from airflow.providers.google.cloud.hooks.gcs import GCSHook
from google.api_core.exceptions import PreconditionFailed
from google.cloud.storage import Blob, Bucket

from medallion.environments import Environment
from medallion.manifest import SourceFile
from medallion.products import Product


@dataclass(frozen=True)
class Bronze:
    """Objects by their names below the product's."""

    bucket: Bucket
    product: str

    def names(self, folder: str = "") -> set[str]:
        """Names of the objects in a folder, which ends with a slash."""
        prefix = f"{self.product}/"
        blobs = self.bucket.client.list_blobs(self.bucket, prefix=f"{prefix}{folder}")
        return {blob.name.removeprefix(prefix) for blob in blobs}

    def read(self, name: str) -> bytes:
        """The content of an object."""
        return self._blob(name).download_as_bytes()

    def create(self, name: str, content: bytes | Path, content_type: str) -> bool:
        """Makes an object; False where it is there already, which another try or run has made."""
        blob = self._blob(name)
        # The condition is also what lets the client try again after a lost reply.
        once = {"content_type": content_type, "if_generation_match": 0}
        try:
            if isinstance(content, Path):
                blob.upload_from_filename(content, **once)
            else:
                blob.upload_from_string(content, **once)
        except PreconditionFailed:
            return False
        return True

    def _blob(self, name: str) -> Blob:
        return self.bucket.blob(f"{self.product}/{name}")


def bronze_of(product: Product, environment: Environment) -> Bronze:
    """A product's part of an environment's bronze bucket."""
    return Bronze(GCSHook().get_conn().bucket(environment.buckets["bronze"]), product.name)


def landed(product: Product, environment: Environment) -> dict[tuple[str, int], SourceFile]:
    """What lies in bronze for a product, by name and generation; of a bucket with a key without checksums."""
    bucket = environment.buckets["bronze"]
    blobs = GCSHook().get_conn().list_blobs(bucket, prefix=f"{product.name}/")
    files = [
        SourceFile(f"gs://{bucket}/{blob.name}", int(blob.generation), int(blob.size), blob.crc32c or "")
        for blob in blobs
        if not blob.name.endswith("/")  # a folder's placeholder
    ]
    return {(file.uri, file.generation): file for file in files}
