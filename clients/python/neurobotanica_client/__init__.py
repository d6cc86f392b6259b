"""The client and its types: ``from neurobotanica_client import Client``."""

from neurobotanica_client.api import *  # noqa: F403
from neurobotanica_client.api import __all__ as __all__
