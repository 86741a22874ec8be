"""Ships a checkout to an environment. Imports medallion and nothing else of ours; only local/ imports it."""
