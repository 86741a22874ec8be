"""Puts the emulator's DuckDB extensions where it looks for them, so that it downloads nothing when it starts."""

from duckdb_extensions import import_extension

for extension in ("spatial", "avro"):
    import_extension(extension)
