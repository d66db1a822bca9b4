"""What can go wrong while starting things, as a sentence for whoever typed the command."""


class EmbeddedError(Exception):
    """Something could not be started; the message says what happened and what to do."""
