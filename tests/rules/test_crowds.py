"""Crowds: what there is too much of comes later."""

from random import Random

from crawler.rules.crowds import Crowds


def word(random: Random) -> str:
    return "".join(random.choices("abcdefghijklmnopqrstuvwxyz", k=7))


def test_a_small_site_is_not_put_off_at_all() -> None:
    crowds = Crowds()
    lags = [crowds.join(f"http://h/page/{n}").lag for n in range(200)]
    assert set(lags) == {0}


def test_the_more_there_are_of_a_shape_the_later_the_next_one_comes() -> None:
    crowds = Crowds()
    lags = [crowds.join(f"http://h/page/{n}").lag for n in range(700)]
    assert lags == sorted(lags)
    assert lags[-1] == 50
    assert crowds.join("http://h/other/1").lag == 0
    assert crowds.join("http://i/page/1").lag == 0


def test_random_folders_are_one_crowd_though_none_comes_twice() -> None:
    crowds, random = Crowds(), Random(1)
    for _ in range(3_000):
        path = "/".join(word(random) for _ in range(random.randint(1, 4)))
        last = crowds.join(f"http://h/maze/{path}/x")
    assert last.is_many
    assert last.lag > 200
    assert crowds.join("http://h/news/today").lag == 0


def test_random_sections_are_one_crowd_and_words_below_the_root_as_well() -> None:
    crowds, random = Crowds(), Random(1)
    crowds.join("http://h/news/today")
    for _ in range(3_000):
        section = crowds.join(f"http://h/{word(random)}/x")
        page = crowds.join(f"http://h/{word(random)}")
    assert section.lag > 200
    assert page.lag > 200
    assert crowds.join("http://h/news/tomorrow").lag == 0


def test_what_is_remembered_is_bounded_and_crowds_are_remembered_longest() -> None:
    crowds = Crowds()
    for n in range(1_000):
        crowds.join(f"http://big/page/{n}")
    for n in range(40_000):
        crowds.join(f"http://h{n}/page/1")
    assert len(crowds) <= 30_000
    assert crowds.join("http://big/page/x").lag == 80
