"""A circuit breaker: a model that fails is left alone for a while (Nygard, Release It!, 2007).

    closed ──failures──► open ──cool-down──► half-open ──success──► closed
                          ▲                      │
                          └──────failure─────────┘

Closed, every task goes through. `THRESHOLD` failures in a row open it; a failure that says how long
it will last, or that waiting won't mend, opens it at once. Open, nothing goes through until the
cool-down is over. Then one task at a time tries: if it succeeds the circuit closes, if it fails the
next cool-down is twice as long.
"""

import time
from collections.abc import Callable

THRESHOLD = 5
COOL_DOWN_S = 10.0
LONGEST_S = 300.0


class Circuit:
    """The state of one model. `clock` gives seconds that never go back.

    A task that may go through gets a ticket, with which it reports how it ended. Tickets from
    before the circuit last changed are void: what fails together counts as one opening.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._openings = 0
        self._ticket = 0
        self._open_until: float | None = None
        self._trying = False

    @property
    def opens_in(self) -> float:
        """Seconds until a task may go through: 0 when one may now."""
        if self._open_until is None:
            return 0.0
        return max(self._open_until - self._clock(), 0.0)

    def admit(self) -> int | None:
        """Return a ticket, or None when the model is to be left alone."""
        if self._open_until is not None:
            if self._trying or self.opens_in > 0:
                return None
            self._trying = True
            self._ticket += 1
        return self._ticket

    def succeeded(self, ticket: int) -> None:
        """The model answered."""
        if ticket == self._ticket:
            self._failures = self._openings = 0
            self._open_until = None
            self._trying = False

    def told_nothing(self, ticket: int) -> None:
        """The task ended in a way that says nothing of the model."""
        if ticket == self._ticket:
            self._trying = False

    def failed(
        self, ticket: int, *, retry_after: float | None = None, lasting: bool = False
    ) -> None:
        """The model failed; `retry_after` is how long the provider wants to be left alone."""
        if ticket != self._ticket:
            return
        self._failures += 1
        at_once = self._trying or lasting or retry_after is not None
        if not at_once and self._failures < THRESHOLD:
            return
        grown = LONGEST_S if lasting else min(COOL_DOWN_S * 2**self._openings, LONGEST_S)
        pause = grown if retry_after is None else min(retry_after, LONGEST_S)
        self._open_until = self._clock() + pause
        self._openings += 1
        self._ticket += 1
        self._trying = False
