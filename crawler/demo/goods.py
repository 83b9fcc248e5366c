"""What the demo shop sells."""

from msgspec import Struct

_MAKERS = (
    *("Ærø", "Birke", "Château", "Đà Lạt", "Evergreen", "Fjord", "García", "Hazel"),
    *("Île", "Jižní", "Kyōto", "Łódź", "Müller & Sohn", "Noël", "O'Neill", "Žižkov"),
)
_KINDS = (
    *("Lamp", "Chair", "Table", "Clock", "Mirror", "Rug", "Shelf", "Stool", "Vase", "Jug"),
    *("Bowl", "Plate", "Kettle", "Teapot", "Blanket", "Cushion", "Basket", "Candle"),
    *("Frame", "茶碗"),
)
_WARES = 850


class Category(Struct, frozen=True):
    """One of the shop's shelves; its products are all of one kind."""

    name: str

    @property
    def path(self) -> str:
        """Its first page, as links write it: not yet percent-encoded."""
        return f"/c/{self.name.lower()}/"


class Ware(Struct, frozen=True):
    """One thing on sale: its number decides everything about it."""

    number: int

    @property
    def category(self) -> Category:
        """The shelf it stands on."""
        return CATEGORIES[self.number % len(CATEGORIES)]

    @property
    def name(self) -> str:
        """Its name; the number makes it unique."""
        maker = _MAKERS[self.number * 7 % len(_MAKERS)]
        return f"{maker} {self.category.name} № {self.number}"

    @property
    def price(self) -> float:
        """Its price in euros."""
        return (495 + self.number * 7919 % 29_500) / 100

    @property
    def stock(self) -> int:
        """How many there are; some are sold out."""
        return self.number * 31 % 12

    @property
    def rating(self) -> int | None:
        """One to five stars; every sixth is not rated yet."""
        return self.number * 13 % 6 or None

    @property
    def path(self) -> str:
        """Its page."""
        return f"/p/{self.number}.html"

    @property
    def related(self) -> "tuple[Ware, ...]":
        """Three others that are sold on the same page."""
        return tuple(LISTED[(self.number + step) % len(LISTED)] for step in (1, 20, 333))


CATEGORIES = tuple(Category(name) for name in _KINDS)
WARES = tuple(Ware(number) for number in range(_WARES))

LISTED = WARES[:-10]
"""On a category's pages."""

OFFERED = WARES[-10:-6]
"""On the page of offers only, below its `<base>`."""

UNLINKED = WARES[-6:]
"""In the sitemap only."""
