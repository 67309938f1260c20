"""The MCP server, which `[mcp]` brings: an agent's host calls its tools, and they call the HTTP API."""
