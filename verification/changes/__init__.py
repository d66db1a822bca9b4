"""Changing an email or mobile: by the person, by the office, by an answer; and taking it back."""
