"""What every part of the platform shares: configuration, contracts, names and identities."""
