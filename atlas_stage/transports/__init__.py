"""The two ways to the database: over psycopg, and over the HTTP API."""
