"""Puts the emulator's DuckDB extensions in place, so that it downloads nothing when it starts."""

from duckdb_extensions import import_extension

for extension in ("spatial", "avro"):
    import_extension(extension)
