"""Builds the DAGs: one module a step."""
