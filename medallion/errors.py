"""The errors that the platform raises on purpose."""


class MedallionError(Exception):
    """Base of every error the platform raises on purpose."""


class ConfigError(MedallionError):
    """A configuration file is wrong; the message names file, key, expected, got and the next step."""

    def __init__(
        self, file: str, key: str, expected: str, got: object, next_step: str = "mend the file"
    ) -> None:
        super().__init__(f"{file}: {key or 'the file'}: expected {expected}, got {got!r}. Next: {next_step}.")
