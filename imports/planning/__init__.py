"""What an import would do, worked out as data. Pure: neither Django nor a database."""
