"""The one kind of error that is a user's own to mend."""


class UserError(ValueError):
    """A setting, file or folder that cannot be used.

    The message is one line: what was wrong and what is accepted. The command line
    prints it without a traceback and exits with code 2.
    """
