"""Why a file can't be decoded, from what knows it to who tells the caller."""


class Refused(Exception):
    """The file can't be decoded. The message is in words for the caller."""
