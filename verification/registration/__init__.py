"""Registering: from the link or letter of an invitation to being Connected."""
