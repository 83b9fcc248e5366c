"""A host of the frontier in memory."""

from crawler.outcome import HostNotes
from crawler.request import Request
from crawler.rules.shapes import shape_of


class Host:
    """One host: its queue, how many requests are out, and when it may next be leased."""

    __slots__ = (
        "answers",
        "asking",
        "due",
        "entered",
        "given_up",
        "name",
        "notes",
        "out",
        "pages",
        "queue",
        "seconds",
        "shapes",
    )

    def __init__(self, name: str, notes: HostNotes | None, due: float = 0.0) -> None:
        self.name = name
        self.notes = notes
        self.due = due
        self.queue: list[tuple[int, int, int, Request]] = []  # -priority, level, age
        self.out = 0
        self.pages = 0
        self.asking = False  # somebody was sent to find the notes
        self.given_up = ""
        self.answers, self.seconds = 0, 0.0
        self.shapes: dict[str, int] = {}  # pages queued, where that is limited
        self.entered: tuple[float, int] | None = None  # its one live entry in the heap

    def notes_at(self, now: float) -> HostNotes | None:
        """Return the notes, if they are there and count yet."""
        return self.notes if self.notes is not None and self.notes.are_fresh(now) else None

    def refusal(self, host_pages: int | None) -> str | None:
        """Return why it may not be asked for anything more, or None."""
        if self.given_up:
            return "host_given_up"
        if host_pages is not None and self.pages >= host_pages:
            return "host_pages"
        return None

    def takes(self, request: Request, shape_pages: int | None) -> bool:
        """Count a page of its shape; False if there are enough."""
        if shape_pages is None or request.kind != "page":
            return True
        shape = shape_of(request.url)
        queued = self.shapes.get(shape, 0)
        self.shapes[shape] = min(queued + 1, shape_pages)
        return queued < shape_pages
