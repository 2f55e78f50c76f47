"""What administrators do, a file a subject; `client.admin` puts them together."""
