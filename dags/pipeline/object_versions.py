"""Objects of Cloud Storage with every version that their bucket keeps, and written anew without a person."""

from collections.abc import Iterable

from google.cloud.storage import Blob, Bucket, Client

from pipeline.person import Person
from pipeline.rewriting import without

REWRITTEN = "rewritten-from"  # of an object's metadata: the generation of which it was written anew
BINARY = "application/octet-stream"


def rewrite(blob: Blob, file_format: str, person: Person) -> None:
    """Writes an object anew where it has rows of the person, and deletes what it was before."""
    before = blob.generation
    data, removed = without(blob.download_as_bytes(), file_format, person)
    if removed:
        blob.metadata = {REWRITTEN: str(before)}
        blob.upload_from_string(data, blob.content_type or BINARY, if_generation_match=before)
        blob.reload()
    delete_older(versions_of(blob.bucket, blob.name))


def source_of(blob: Blob) -> str:
    """The generation of which an object was written without a person; empty where it was not."""
    return (blob.metadata or {}).get(REWRITTEN, "")


def delete_older(versions: Iterable[Blob]) -> None:
    """Deletes versions that are live no more; one that landed meanwhile is a new file, still to be read."""
    for version in versions:
        if version.time_deleted is not None:
            version.delete()


def versions_of(bucket: Bucket, name: str) -> list[Blob]:
    """Every version of an object that its bucket keeps; each is deleted as the generation that it is."""
    return [version for version in bucket.list_blobs(prefix=name, versions=True) if version.name == name]


def place_of(storage: Client, uri: str) -> tuple[Bucket, str]:
    """The bucket and the name of an object."""
    named = Blob.from_uri(uri)
    return storage.bucket(named.bucket.name), named.name
