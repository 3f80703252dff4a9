"""What keeps actions from being sent."""

from contract.errors import CollectorError


class FileUnreadable(CollectorError):
    """A file has a form that is not sent, or is damaged: what comes before the damage was sent."""


class RejectsUnwritable(CollectorError):
    """The file of rejected lines cannot be written."""


class DeliveryRefused(CollectorError):
    """The API refuses such requests: sending them again cannot help."""


class DeliveryGivenUp(CollectorError):
    """The API did not answer for too long."""
