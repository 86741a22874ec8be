"""The cleaning of a feed by its contract: Column and DataFrame functions."""
