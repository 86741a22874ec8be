"""The contenders: each module has session(), up before the clock starts, and clean(), which is measured."""
