"""What went wrong with the local set-up, and what does a person do about it, in one line each?"""


class SetupError(Exception):
    """A foreseen failure of the local set-up: what happened, and the mend.

    `quote` holds the last lines of a server's log; it is shown below the two sentences, and in any
    traceback.
    """

    def __init__(self, what: str, *, mend: str = "", quote: str = "") -> None:
        super().__init__(f"{what}: {mend}" if mend else what)
        self.what = what
        self.mend = mend
        self.quote = quote
        if quote:
            self.add_note(quote)
