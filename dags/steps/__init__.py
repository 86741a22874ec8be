"""Functions registered with @step, for what a product file can't say; each module here is imported."""
