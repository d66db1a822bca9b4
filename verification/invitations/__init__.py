"""Inviting people to connect, by email, text or letter, and who has."""
