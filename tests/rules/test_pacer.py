"""When may which host be asked?"""

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.rules.pacer import Pacer
from crawler.rules.pacing import Pace
from tests.growth import assert_costs, cpu_seconds


class Ticket(NamedTuple):
    id: int
    host: str = "a"


POLITE = Pace(0.5, 2)
FAST = Pace(0.0, 2)


def tickets(count: int, host: str = "a", start: int = 1) -> list[Ticket]:
    return [Ticket(start + n, host) for n in range(count)]


def drain(pacer: Pacer[Ticket], now: float) -> list[int]:
    taken = []
    while (ticket := pacer.take(now)) is not None:
        taken.append(ticket.id)
    return taken


def test_nothing_goes_before_the_delay_since_the_last_was_sent() -> None:
    pacer: Pacer[Ticket] = Pacer()
    pacer.admit("a", tickets(2), pace=POLITE)
    assert drain(pacer, 0.0) == [1]
    pacer.sent("a", 1, 0.2)
    pacer.finished("a", 1)
    assert drain(pacer, 0.69) == []
    assert pacer.next_due() == pytest.approx(0.7)
    assert drain(pacer, 0.7) == [2]


def test_hosts_without_a_delay_take_turns() -> None:
    pacer: Pacer[Ticket] = Pacer()
    for number, host in enumerate("abc"):
        pacer.admit(host, tickets(2, host, start=10 * number), pace=FAST)
    taken = [ticket.id for now in range(3) if (ticket := pacer.take(float(now))) is not None]
    assert taken == [0, 10, 20]
    assert drain(pacer, 3.0) == [1, 11, 21]


def test_a_request_that_is_not_on_the_wire_yet_holds_the_next_back() -> None:
    pacer: Pacer[Ticket] = Pacer()
    pacer.admit("a", tickets(2), pace=POLITE)
    assert drain(pacer, 0.0) == [1]
    assert drain(pacer, 99.0) == []  # a slow connect
    pacer.sent("a", 1, 99.0)
    assert drain(pacer, 99.4) == []
    assert drain(pacer, 99.5) == [2]


def test_an_answer_that_needed_no_request_costs_the_host_nothing() -> None:
    pacer: Pacer[Ticket] = Pacer()
    pacer.admit("a", tickets(2), pace=POLITE)
    assert drain(pacer, 0.0) == [1]
    pacer.finished("a", 1)
    assert drain(pacer, 0.0) == [2]


def test_per_host_bounds_what_is_in_flight() -> None:
    pacer: Pacer[Ticket] = Pacer()
    pacer.admit("a", tickets(5), pace=FAST)
    assert drain(pacer, 0.0) == [1, 2]
    pacer.finished("a", 2)
    assert drain(pacer, 0.0) == [3]


def test_one_that_ends_does_not_free_another_that_is_still_unsent() -> None:
    pacer: Pacer[Ticket] = Pacer()
    pacer.admit("a", tickets(3), pace=Pace(0.5, 3))
    assert drain(pacer, 0.0) == [1]
    pacer.sent("a", 1, 0.0)
    assert drain(pacer, 0.5) == [2]
    pacer.finished("a", 1)
    assert drain(pacer, 5.0) == []
    pacer.sent("a", 2, 5.0)
    assert drain(pacer, 5.5) == [3]


def test_a_redirect_hop_moves_the_next_due_time() -> None:
    pacer: Pacer[Ticket] = Pacer()
    pacer.admit("a", tickets(2), pace=POLITE)
    drain(pacer, 0.0)
    pacer.sent("a", 1, 0.0)
    pacer.sent("a", 1, 0.4)  # the hop
    assert drain(pacer, 0.6) == []
    assert drain(pacer, 0.9) == [2]


def test_a_host_at_rest_is_left_in_peace_though_it_was_due() -> None:
    pacer: Pacer[Ticket] = Pacer()
    pacer.admit("a", tickets(1), pace=POLITE)
    pacer.rest("a", 60.0)
    assert drain(pacer, 59.0) == []
    assert drain(pacer, 60.0) == [1]


def test_an_errand_goes_ahead_of_its_hosts_queue() -> None:
    pacer: Pacer[Ticket] = Pacer()
    pacer.admit("a", tickets(2), pace=FAST)
    pacer.push("a", Ticket(9), pace=FAST)
    assert drain(pacer, 0.0) == []  # its host's next is the errand, which is not for `take`
    assert pacer.take_ahead(0.0) == Ticket(9)
    assert drain(pacer, 0.0) == [1]


def test_errands_wait_for_their_hosts_due_time_and_slots() -> None:
    pacer: Pacer[Ticket] = Pacer()
    pacer.push("a", Ticket(1), pace=Pace(0.5, 1))
    pacer.push("a", Ticket(2), pace=Pace(0.5, 1))
    assert pacer.take_ahead(0.0) == Ticket(1)
    pacer.sent("a", 1, 0.0)
    assert pacer.take_ahead(9.0) is None  # per_host
    pacer.finished("a", 1)
    assert pacer.next_due_ahead() == 0.5
    assert pacer.take_ahead(0.4) is None
    assert pacer.take_ahead(0.5) == Ticket(2)


def test_an_errand_takes_the_turn_of_a_ticket_that_nobody_has_begun_with() -> None:
    pacer: Pacer[Ticket] = Pacer()
    first, second = tickets(2)
    pacer.admit("a", [first, second], pace=Pace(0.5, 1))
    assert pacer.take(0.0) == first  # it waits for a worker, which waits for the errand
    pacer.push("a", Ticket(9), pace=Pace(0.5, 1))
    assert pacer.take_ahead(0.0) == Ticket(9)
    assert not pacer.begin("a", first)
    pacer.sent("a", 9, 0.0)
    pacer.finished("a", 9)
    assert drain(pacer, 0.4) == []
    assert drain(pacer, 0.5) == [1]  # still before the second
    assert pacer.begin("a", first)


def test_an_errand_waits_for_a_ticket_that_somebody_has_begun_with() -> None:
    pacer: Pacer[Ticket] = Pacer()
    (first,) = tickets(1)
    pacer.admit("a", [first], pace=Pace(0.5, 1))
    assert pacer.take(0.0) == first
    assert pacer.begin("a", first)
    pacer.push("a", Ticket(9), pace=Pace(0.5, 1))
    assert pacer.take_ahead(9.0) is None


def test_a_withdrawn_ticket_never_goes() -> None:
    pacer: Pacer[Ticket] = Pacer()
    pacer.admit("a", tickets(2), pace=FAST)
    pacer.withdraw("a", 1)
    assert drain(pacer, 0.0) == [2]


def test_hosts_take_turns() -> None:
    pacer: Pacer[Ticket] = Pacer()
    one = Pace(0.0, 1)
    pacer.admit("a", tickets(3, "a", 1), pace=one)
    pacer.admit("b", tickets(3, "b", 11), pace=one)
    order = []
    for now in range(6):
        ticket = pacer.take(float(now))
        assert ticket is not None
        order.append(ticket.id)
        pacer.sent(ticket.host, ticket.id, float(now))
        pacer.finished(ticket.host, ticket.id)
    assert order == [1, 11, 2, 12, 3, 13]


def test_the_due_time_of_a_lease_is_kept() -> None:
    pacer: Pacer[Ticket] = Pacer()
    pacer.admit("a", tickets(1), pace=POLITE, due=7.0)
    assert pacer.next_due() == 7.0
    assert pacer.due("a") == 7.0


def test_only_an_idle_host_is_forgotten() -> None:
    pacer: Pacer[Ticket] = Pacer()
    pacer.admit("a", tickets(1), pace=FAST)
    assert not pacer.forget("a", 0.0)
    drain(pacer, 0.0)
    assert not pacer.forget("a", 0.0)
    pacer.finished("a", 1)
    assert pacer.forget("a", 0.0)
    assert pacer.due("a") == 0.0


def test_a_due_time_that_nobody_else_knows_is_not_forgotten() -> None:
    pacer: Pacer[Ticket] = Pacer()
    pacer.admit("a", tickets(1), pace=POLITE)
    drain(pacer, 0.0)
    pacer.sent("a", 1, 0.2)
    pacer.finished("a", 1)
    assert not pacer.forget("a", 0.5)
    assert pacer.due("a") == 0.7
    assert pacer.forget("a", 0.7)


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.floats(0.0, 2.0)), min_size=1, max_size=60),
    st.sampled_from([0.0, 0.3, 1.0]),
    st.integers(1, 3),
)
def test_every_host_keeps_its_pace_whatever_the_latencies(
    jobs: list[tuple[str, float]], delay: float, per_host: int
) -> None:
    pacer: Pacer[Ticket] = Pacer()
    latency = {}
    for number, (host, seconds) in enumerate(jobs, start=1):
        latency[number] = seconds
        pacer.admit(host, [Ticket(number, host)], pace=Pace(delay, per_host))
    now, ends, starts = 0.0, [], {host: [-10.0] for host in "abc"}
    flying = dict.fromkeys("abc", 0)
    done = 0
    while done < len(jobs):
        while (ticket := pacer.take(now)) is not None:
            pacer.sent(ticket.host, ticket.id, now)
            assert now - starts[ticket.host][-1] >= delay - 1e-9
            starts[ticket.host].append(now)
            flying[ticket.host] += 1
            assert flying[ticket.host] <= per_host
            ends.append((now + latency[ticket.id], ticket.id, ticket.host))
        ends.sort()
        due = pacer.next_due()
        if ends and (due is None or ends[0][0] <= due):
            now, number, host = ends.pop(0)
            flying[host] -= 1
            done += 1
            pacer.finished(host, number)
        else:
            assert due is not None, "something is left, and nothing will ever let it go"
            now = max(now, due)


def _among(hosts: int) -> Pacer[Ticket]:
    pacer: Pacer[Ticket] = Pacer()
    for number in range(hosts):
        pacer.admit(str(number), [Ticket(number, str(number))], pace=POLITE, due=number * 1e-6)
    return pacer


def _seconds(pacer: Pacer[Ticket]) -> float:
    return cpu_seconds(lambda: [pacer.take(10.0) for _ in range(2_000)])


def test_a_ticket_among_many_hosts_costs_little_more_than_among_few() -> None:
    many = _among(200_000)  # enough for ten rounds
    # Linear would be 100 times.
    assert_costs(lambda: _seconds(many), at_most=15, times=lambda: _seconds(_among(2_000)))
    assert many.take(10.0) is not None
