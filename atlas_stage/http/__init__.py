"""The HTTP API, called over httpx."""

from atlas_stage.http.async_transport import AsyncHttpTransport
from atlas_stage.http.transport import HttpTransport

__all__ = ["AsyncHttpTransport", "HttpTransport"]
