"""The HTTP API, called over httpx."""

from atlas_stage.http.transport import AsyncHttpTransport, HttpTransport

__all__ = ["AsyncHttpTransport", "HttpTransport"]
