"""How much slower than usual is a host asked?"""

# A refusal with no delay to double makes this one.
_FIRST_DELAY = 0.5
# Of what refusals put on top, so much is left by a good answer: 60 s are gone after 20 of them.
_LEFT = 0.7
_NOTHING = 0.02
# How fast the mean of answer times follows, and what a host usually takes.
_MEAN_WEIGHT = 0.2
_FIRST_ANSWERS = 20
_USUAL_WEIGHT = 0.01
# Slower than twice the usual is slow; what is quicker than this says nothing about a server.
_SLOW = 2.0
_QUICK = 0.1


class Throttle:
    """The delay of one host: doubled by each 429 and 503, longer while it answers slowly.

    It lies between `floor`, the host's own delay, and `cap`, and comes back to the floor as answers
    are good. What was asked before the last refusal says nothing new: `asked` is when a request was
    begun. A floor of 0 is no delay that slow answers could make longer. Times are clock seconds.
    """

    __slots__ = ("_answers", "_cap", "_floor", "_mean", "_put_on", "_refused", "_usual", "delay")

    def __init__(self, floor: float, *, cap: float) -> None:
        self._put_on = 0.0  # by refusals, on top of the floor
        self._refused = 0.0
        self._answers = 0
        self._mean = self._usual = 0.0
        self.lie_between(floor, cap)

    def lie_between(self, floor: float, cap: float) -> None:
        """Hear of another floor: a crawl-delay that was found."""
        self._floor, self._cap = floor, max(floor, cap)
        self._set()

    @property
    def is_at_ease(self) -> bool:
        """True if the host is asked as usual."""
        return self.delay <= self._floor

    @property
    def is_at_cap(self) -> bool:
        """True if the host cannot be asked less often."""
        return self.delay >= self._cap

    def refuse(self, *, asked: float, now: float) -> None:
        """Hear that the host wants to be asked less often."""
        if asked >= self._refused:
            self._refused = now
            wanted = max(2 * self.delay, _FIRST_DELAY)
            self._put_on = min(wanted, self._cap) - self._floor
            self._set()

    def go_on(self, delay: float) -> None:
        """Hear of the delay that the host had come to elsewhere."""
        self._put_on = min(delay, self._cap) - self._floor
        self._set()

    def answer(self, seconds: float, *, asked: float) -> None:
        """Hear of a good answer, and how long it took."""
        if self._put_on and asked >= self._refused:
            left = self._put_on * _LEFT
            self._put_on = left if left > _NOTHING else 0.0
        if self._floor:
            self._measure(seconds)
        self._set()

    def _measure(self, seconds: float) -> None:
        """Let the two means follow; what is slow hardly changes what the host usually takes."""
        self._answers += 1
        if self._answers == 1:
            self._mean = self._usual = seconds
            return
        first = 1 / self._answers  # both begin as plain means
        self._mean += (seconds - self._mean) * max(first, _MEAN_WEIGHT)
        weight = first if self._answers <= _FIRST_ANSWERS else _USUAL_WEIGHT
        self._usual += (min(seconds, _SLOW * self._usual) - self._usual) * weight

    def _set(self) -> None:
        slow = self._mean / (_SLOW * max(self._usual, _QUICK))
        delay = self._floor * max(1.0, slow)
        self.delay = min(max(delay, self._floor + self._put_on), self._cap)
