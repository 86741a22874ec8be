"""Measured comparisons; not part of the platform, and nothing of the platform imports them."""
