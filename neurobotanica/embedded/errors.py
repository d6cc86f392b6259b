"""The one error that the embedded services raise."""


class EmbeddedServiceError(RuntimeError):
    """An embedded server could not be found, started or stopped; the text says what happened and what to do."""
