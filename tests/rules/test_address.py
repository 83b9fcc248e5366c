"""Hosts of one address keep to its pace together."""

import itertools
import random
from typing import NamedTuple

import pytest

from crawler.rules.address import Addresses
from crawler.rules.pacer import Pacer
from crawler.rules.pacing import Pace


class Ticket(NamedTuple):
    id: int
    host: str


HOSTS = {"a": "1.1.1.1", "b": "1.1.1.1", "c": "1.1.1.1", "x": "2.2.2.2"}
FAST = Pace(0.0, 9)


def pacer_of(at_address: Pace, *, each: int = 3, pace: Pace = FAST) -> Pacer[Ticket]:
    pacer: Pacer[Ticket] = Pacer(at_address=at_address)
    for number, (host, address) in enumerate(HOSTS.items()):
        pacer.locate(host, address)
        tickets = [Ticket(10 * number + n, host) for n in range(each)]
        pacer.admit(host, tickets, pace=pace)
    return pacer


def drain(pacer: Pacer[Ticket], now: float, *, sends: bool = True) -> list[Ticket]:
    taken = []
    while (ticket := pacer.take(now)) is not None:
        taken.append(ticket)
        pacer.begin(ticket.host, ticket)
        if sends:
            pacer.sent(ticket.host, ticket.id, now)
    return taken


def test_no_more_than_so_many_are_in_flight_to_all_hosts_of_an_address() -> None:
    pacer = pacer_of(Pace(0.0, 2))
    taken = drain(pacer, 1.0)
    assert sorted(ticket.host for ticket in taken) == ["a", "b", "x", "x"]
    pacer.finished("a", taken[0].id)
    assert [ticket.host for ticket in drain(pacer, 2.0)] == ["c"]


def test_the_delay_lies_between_two_requests_to_an_address() -> None:
    pacer = pacer_of(Pace(1.0, 9))
    assert [ticket.host for ticket in drain(pacer, 5.0)] == ["a", "x"]
    assert drain(pacer, 5.9) == []
    assert pacer.next_due() == 6.0
    assert [ticket.host for ticket in drain(pacer, 6.0)] == ["b", "x"]
    assert [ticket.host for ticket in drain(pacer, 7.0)] == ["c", "x"]


def test_one_that_is_not_on_the_wire_yet_holds_its_neighbours_back() -> None:
    pacer = pacer_of(Pace(1.0, 9))
    first, other = drain(pacer, 5.0, sends=False)
    assert (first.host, other.host) == ("a", "x")
    assert drain(pacer, 50.0, sends=False) == []
    pacer.sent("a", first.id, 50.0)
    assert [ticket.host for ticket in drain(pacer, 51.0)] == ["b"]


def test_a_host_keeps_to_its_own_pace_as_well() -> None:
    pacer = pacer_of(Pace(0.0, 9), each=1)
    pacer.change("a", Pace(0.0, 9))
    pacer.rest("a", 60.0)
    assert [ticket.host for ticket in drain(pacer, 1.0)] == ["b", "c", "x"]
    assert [ticket.host for ticket in drain(pacer, 60.0)] == ["a"]


def test_a_pushed_ticket_takes_the_turn_of_a_neighbour_that_nobody_has_begun_with() -> None:
    pacer = pacer_of(Pace(1.0, 1))
    ticket = pacer.take(1.0)
    assert ticket is not None
    assert ticket.host == "a"
    pacer.push("b", Ticket(99, "b"), pace=FAST)
    assert pacer.take_ahead(1.0) == Ticket(99, "b")
    assert not pacer.begin("a", ticket)
    pacer.sent("b", 99, 1.0)
    pacer.finished("b", 99)
    later = []
    for now in (2.0, 3.0):
        for other in drain(pacer, now):
            pacer.finished(other.host, other.id)
            later.append(other)
    assert ticket in later


def test_neighbours_let_a_pushed_ticket_go_first_once_its_host_is_due() -> None:
    pacer = pacer_of(Pace(1.0, 1))
    pacer.rest("b", 3.0)
    pacer.push("b", Ticket(99, "b"), pace=FAST)
    for now in (1.0, 2.0):
        (ticket,) = [ticket for ticket in drain(pacer, now) if ticket.host != "x"]
        pacer.finished(ticket.host, ticket.id)
    assert {ticket.host for ticket in drain(pacer, 3.0)} <= {"x"}
    assert pacer.take_ahead(3.0) == Ticket(99, "b")
    pacer.sent("b", 99, 3.0)
    pacer.finished("b", 99)
    assert {ticket.host for ticket in drain(pacer, 4.0)} - {"x"}


def test_an_address_rests_though_its_hosts_come_and_go() -> None:
    pacer = pacer_of(Pace(5.0, 1), each=1)
    (first, _) = drain(pacer, 1.0)
    pacer.finished(first.host, first.id)
    assert pacer.forget(first.host, 99.0)
    for host in ("b", "c"):
        pacer.withdraw(host, {"b": 10, "c": 20}[host])
        assert pacer.forget(host, 99.0)
    pacer.locate("d", "1.1.1.1")
    pacer.admit("d", [Ticket(50, "d")], pace=FAST)
    assert drain(pacer, 5.9) == []
    assert drain(pacer, 6.0) == [Ticket(50, "d")]


def test_addresses_without_hosts_are_forgotten_in_the_end() -> None:
    addresses = Addresses(FAST)
    addresses.locate("stays", "0")
    for number in range(30_000):
        addresses.locate(f"h{number}", str(number))
        addresses.leave(f"h{number}")
    assert len(addresses._left) == 10_000
    assert addresses.of("stays") is not None


@pytest.mark.parametrize("seed", range(40))
def test_whatever_happens_an_address_keeps_its_pace_and_nothing_is_stuck(seed: int) -> None:
    rng = random.Random(seed)  # a reproducible order of events
    at_address = Pace(rng.choice([0.0, 1.0]), rng.choice([1, 2, 3]))
    pace = Pace(rng.choice([0.0, 0.5]), rng.choice([1, 2]))
    pacer: Pacer[Ticket] = Pacer(at_address=at_address)
    hosts = {f"h{n}": f"addr{n % 3}" for n in range(9)}
    now, number = 10.0, 0
    in_hand: list[Ticket] = []
    flying: list[Ticket] = []
    sent: dict[str, list[float]] = {}
    done = 0

    def send(ticket: Ticket) -> None:
        pacer.sent(ticket.host, ticket.id, now)
        sent.setdefault(hosts[ticket.host], []).append(now)
        flying.append(ticket)

    while number < 120 or in_hand or flying or pacer.waiting or done < number:
        step = rng.random()
        if step < 0.3 and number < 120:
            host, number = rng.choice(list(hosts)), number + 1
            pacer.locate(host, hosts[host])
            if rng.random() < 0.2:
                pacer.push(host, Ticket(-number, host), pace=pace)
            else:
                pacer.admit(host, [Ticket(number, host)], pace=pace)
        elif step < 0.5:
            if (ticket := pacer.take(now)) is not None:
                in_hand.append(ticket)
        elif step < 0.6:
            if (ticket := pacer.take_ahead(now)) is not None:
                send(ticket)
        elif step < 0.75 and in_hand:
            ticket = in_hand.pop(rng.randrange(len(in_hand)))
            if pacer.begin(ticket.host, ticket):
                send(ticket)
        elif step < 0.85 and flying:
            ticket = flying.pop(rng.randrange(len(flying)))
            pacer.finished(ticket.host, ticket.id)
            pacer.forget(ticket.host, now + 99)
            done += 1
        else:
            now += rng.random()
        assert now < 10_000, "something is stuck"
        for address in set(hosts.values()):
            assert sum(hosts[t.host] == address for t in flying) <= at_address.per_host
    for times in sent.values():
        pairs = itertools.pairwise(times)
        assert all(b - a >= at_address.delay - 1e-9 for a, b in pairs)
