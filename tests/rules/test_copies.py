"""Copies: the first URL with a body has it, over kills and processes."""

from random import Random

from crawler.rules.copies import Copies, Copy
from crawler.rules.likeness import Likeness

ONE = Likeness(1, 0x0123456789ABCDEF)


def judged(copies: Copies, url: str, likeness: Likeness) -> Copy | None:
    """Judge a page, which is done then if it is the first of its kind."""
    copy = copies.judge(url, likeness)
    if copy is None:
        copies.add(url, likeness)
    return copy


def test_the_second_url_with_a_body_is_a_copy_and_the_first_never_is() -> None:
    copies = Copies()
    assert judged(copies, "http://h/1", ONE) is None
    assert judged(copies, "http://h/2", ONE) == "duplicate_bodies"
    assert judged(copies, "http://h/1", ONE) is None
    assert judged(copies, "http://h/3", Likeness(2, 0)) is None


def test_simhashes_three_bits_apart_are_found_wherever_the_bits_are() -> None:
    random = Random(1)
    for _ in range(300):
        copies, one = Copies(), random.getrandbits(64)
        judged(copies, "http://h/1", Likeness(1, one))
        bits = random.sample(range(64), 4)
        three, four = (sum(1 << bit for bit in bits[:number]) for number in (3, 4))
        assert judged(copies, "http://h/2", Likeness(2, one ^ three)) == "near_duplicates"
        assert judged(copies, "http://h/3", Likeness(3, one ^ four)) is None


def test_a_body_without_text_is_like_no_other_and_counts_by_its_bytes() -> None:
    copies = Copies()
    assert judged(copies, "http://h/1", Likeness(1, None)) is None
    assert judged(copies, "http://h/2", Likeness(2, None)) is None
    assert judged(copies, "http://h/3", Likeness(1, None)) == "duplicate_bodies"


def test_a_page_that_is_made_again_after_a_crash_is_no_copy_of_itself() -> None:
    before, after = Copies(), Copies()
    judged(before, "http://h/1", ONE)
    for name, value in before.changes().items():
        after.learn(name, value)
    assert judged(after, "http://h/1", ONE) is None
    assert judged(after, "http://h/2", ONE) == "duplicate_bodies"
    assert judged(after, "http://h/3", Likeness(3, ONE.simhash)) == "near_duplicates"
    assert not after.changes()


def test_no_more_than_so_many_are_remembered_here_and_in_the_run() -> None:
    copies, kept = Copies(most=10), dict[str, bytes]()
    random = Random(1)
    for n in range(100):
        judged(copies, f"http://h/{n}", Likeness(n, random.getrandbits(64)))
        kept |= copies.changes()
    assert len(copies) == len([value for value in kept.values() if value]) == 10
    assert judged(copies, "http://h/x", Likeness(95, None)) == "duplicate_bodies"
    assert judged(copies, "http://h/y", Likeness(5, None)) is None
    other = Copies()
    for name, value in kept.items():
        other.learn(name, value)
    assert len(other) == 10


def test_nothing_is_a_copy_of_a_page_that_is_not_done() -> None:
    copies = Copies()
    assert copies.judge("http://h/1", ONE) is None
    assert copies.judge("http://h/2", ONE) is None
    copies.add("http://h/2", ONE)
    assert copies.judge("http://h/1", ONE) == "duplicate_bodies"


def test_a_page_that_fails_in_a_later_life_is_known_no_longer() -> None:
    before, after, third = Copies(), Copies(), Copies()
    judged(before, "http://h/1", ONE)
    kept = {**before.changes()}
    for name, value in kept.items():
        after.learn(name, value)
    after.remove("http://h/1")
    assert after.judge("http://h/2", ONE) is None
    for name, value in (kept | {**after.changes()}).items():
        third.learn(name, value)
    assert third.judge("http://h/2", ONE) is None
