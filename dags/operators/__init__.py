"""Operators that submit an external job once, however often their task is tried."""
