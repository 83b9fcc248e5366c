import pytest

from crawler.errors import SettingError
from crawler.rules.guard import Guard

METADATA = "169.254.169.254"


def seeded(*urls: str, allowed: tuple[str, ...] = ()) -> Guard:
    guard = Guard(allowed)
    for url in urls:
        guard.add_seed(url)
    return guard


def handed_on(guard: Guard) -> Guard:
    """What another process, or a later life, makes of what this one keeps."""
    other = Guard()
    for name, value in guard.changes().items():
        other.learn(name, value)
    assert not guard.changes()
    return other


def test_public_addresses_are_connected_to() -> None:
    assert Guard().refusal("a.example", 80, "8.8.8.8") is None


def test_others_are_not_and_the_reason_says_what_would_help() -> None:
    assert Guard().refusal("a.example", 80, "10.0.0.1") == (
        "10.0.0.1 is no public address; allow_private may name it"
    )


@pytest.mark.parametrize(
    ("seed", "host", "port", "address"),
    [
        ("http://127.0.0.1:8000/x", "127.0.0.1", 8000, "127.0.0.1"),
        ("http://127.0.0.1/", "127.0.0.1", 80, "127.0.0.1"),
        ("https://10.0.0.1/", "10.0.0.1", 443, "10.0.0.1"),
        ("http://[::1]:81/", "::1", 81, "::1"),
        ("http://localhost:81/", "localhost", 81, "::1"),
        ("http://app.localhost/", "app.localhost", 80, "127.0.0.1"),
        (f"http://{METADATA}/", METADATA, 80, METADATA),
    ],
)
def test_a_private_seed_allows_its_own_host_and_port(
    seed: str, host: str, port: int, address: str
) -> None:
    for guard in (seeded(seed), handed_on(seeded(seed))):
        assert guard.refusal(host, port, address) is None
        assert guard.refusal(host, port + 1, address)
        assert guard.refusal("b.example", port, address)
        assert guard.refusal("10.0.0.2", port, "10.0.0.2")


def test_localhost_is_this_machine_alone() -> None:
    guard = seeded("http://localhost/", "http://app.localhost/")
    for host in ("localhost", "app.localhost"):
        for address in ("10.0.0.1", "192.168.0.1", "fd00::1", "0.0.0.0", "not an address"):
            assert guard.refusal(host, 80, address)
        for address in ("127.0.0.1", "127.0.0.53", "::1"):
            assert guard.refusal(host, 80, address) is None


def test_a_seed_has_the_private_address_it_resolved_to_first_and_no_other() -> None:
    guard = seeded("http://inside.example/")
    assert guard.refusal("inside.example", 80, "10.0.0.1") is None
    later = handed_on(guard)
    for one in (guard, later):
        one.add_seed("http://inside.example/again")
        one.resolved("inside.example", 80, ["10.0.0.2"])
        for other in ("10.0.0.2", "10.0.0.11", "192.168.0.1", "127.0.0.1", "::1", ""):
            assert one.refusal("inside.example", 80, other)
        assert one.refusal("inside.example", 80, "10.0.0.1") is None
        assert one.refusal("inside.example", 443, "10.0.0.1")


def test_a_seed_has_all_that_it_resolved_to_at_once_but_not_many() -> None:
    guard = seeded("http://inside.example/")
    guard.resolved("inside.example", 81, ["10.0.0.9"])
    guard.resolved("inside.example", 80, [])
    guard.resolved("inside.example", 80, [f"10.0.0.{n}" for n in (6, 2, 5, 3, 2, 4)])
    for one in (guard, handed_on(guard)):
        for n in range(2, 6):
            assert one.refusal("inside.example", 80, f"10.0.0.{n}") is None
        assert one.refusal("inside.example", 80, "10.0.0.6")
        assert one.refusal("inside.example", 80, "10.0.0.9")


@pytest.mark.parametrize("first", [["8.8.8.8", "10.0.0.1"], ["10.0.0.1", "8.8.8.8"], ["8.8.8.8"]])
def test_a_seed_that_has_a_public_address_has_no_private_one(first: list[str]) -> None:
    guard = seeded("http://both.example/")
    guard.resolved("both.example", 80, first)
    for one in (guard, handed_on(guard)):
        one.resolved("both.example", 80, ["10.0.0.1"])
        assert one.refusal("both.example", 80, "10.0.0.1")
        assert one.refusal("both.example", 80, "8.8.8.8") is None


def test_a_seed_that_comes_to_a_public_address_has_no_private_one_any_more() -> None:
    guard = seeded("http://moves.example/")
    assert guard.refusal("moves.example", 80, "10.0.0.1") is None
    assert guard.refusal("moves.example", 80, "8.8.8.8") is None
    for one in (guard, handed_on(guard)):
        assert one.refusal("moves.example", 80, "10.0.0.1")


def test_a_public_seed_that_resolves_to_a_private_address_later_is_refused() -> None:
    guard = seeded("http://rebinds.example/")
    assert guard.refusal("rebinds.example", 80, "8.8.8.8") is None
    guard.add_seed("http://rebinds.example/again")
    later = handed_on(guard)
    later.add_seed("http://rebinds.example/again")
    for one in (guard, later):
        assert one.refusal("rebinds.example", 80, "127.0.0.1")
        assert one.refusal("rebinds.example", 80, "8.8.4.4") is None


@pytest.mark.parametrize(
    ("here", "there", "both"),
    [
        ("10.0.0.1", "8.8.8.8", b"public"),
        ("10.0.0.2", "10.0.0.1", b"10.0.0.1"),
        ("10.0.0.1", None, b"10.0.0.1"),
        (None, "8.8.8.8", b"public"),
    ],
)
def test_processes_that_saw_different_things_come_to_the_lesser_of_them(
    here: str | None, there: str | None, both: bytes
) -> None:
    processes = one, other = seeded("http://a.example/"), seeded("http://a.example/")
    for process, address in zip(processes, (here, there), strict=True):
        if address is not None:
            process.refusal("a.example", 80, address)
    written: dict[str, bytes] = {}
    for number in range(6):
        teller, hearer = (one, other) if number % 2 else (other, one)
        new = teller.changes()
        written |= new
        for name, value in new.items():
            hearer.learn(name, value)
    assert written == {"guard a.example:80": both}
    assert not one.changes()
    assert not other.changes()
    for process in processes:
        for address in ("10.0.0.1", "10.0.0.2"):
            allowed = process.refusal("a.example", 80, address) is None
            assert allowed == (address.encode() == both)


@pytest.mark.parametrize("address", [METADATA, "fe80::1", "fd00:ec2::254", "168.63.129.16"])
def test_no_name_leads_to_what_a_cloud_tells_its_machines(address: str) -> None:
    guard = seeded("http://inside.example/", "http://localhost/")
    guard.resolved("inside.example", 80, [address, "10.0.0.1"])
    for _ in range(2):
        assert guard.refusal("inside.example", 80, address)
        assert guard.refusal("localhost", 80, address)


@pytest.mark.parametrize(
    ("entry", "allowed", "refused"),
    [
        (
            "inside.example",
            ("inside.example", 81, "10.0.0.1"),
            ("a.inside.example", 81, "10.0.0.1"),
        ),
        ("Inside.example:81", ("inside.example", 81, "::1"), ("inside.example", 80, "::1")),
        ("bücher.example", ("xn--bcher-kva.example", 80, "::1"), ("bcher.example", 80, "::1")),
        ("10.0.0.0/8", ("a.example", 80, "10.1.2.3"), ("a.example", 80, "192.168.0.1")),
        ("127.0.0.1", ("127.0.0.1", 81, "127.0.0.1"), ("127.0.0.2", 81, "127.0.0.2")),
        ("127.1:81", ("a.example", 81, "127.0.0.1"), ("a.example", 82, "127.0.0.1")),
        ("::1", ("::1", 81, "::1"), ("::2", 81, "::2")),
        ("[::1]", ("::1", 81, "::1"), ("::2", 81, "::2")),
        ("[::1]:81", ("::1", 81, "::1"), ("::1", 82, "::1")),
        ("fd00::/8", ("a.example", 80, "fd12::1"), ("a.example", 80, "fc00::1")),
        ("10.0.0.0/8", ("a.example", 80, "10.0.0.1"), ("a.example", 80, "::ffff:10.0.0.1")),
        ("LOCALHOST.", ("localhost", 80, "::1"), ("a.localhost", 80, "::1")),
        ("localhost", ("localhost.", 80, "::1"), ("localhost.example", 80, "::1")),
        ("inside.example.:81", ("inside.example", 81, "::1"), ("inside.example", 80, "::1")),
        ("::ffff:127.0.0.1", ("a.example", 80, "127.0.0.1"), ("a.example", 80, "127.0.0.2")),
        ("::ffff:7f00:1", ("a.example", 80, "::ffff:127.0.0.1"), ("a.example", 80, "::1")),
        ("[::ffff:127.0.0.1]:81", ("a.example", 81, "127.0.0.1"), ("a.example", 80, "127.0.0.1")),
        ("::ffff:10.0.0.0/104", ("a.example", 80, "10.1.2.3"), ("a.example", 80, "172.16.0.1")),
        ("[::1:80]", ("a.example", 81, "::1:80"), ("a.example", 80, "::1")),
        ("fd00::80", ("a.example", 81, "fd00::80"), ("a.example", 80, "fd00::")),
        ("fd00:1:2:3:4:5:6:80", ("::1", 81, "fd00:1:2:3:4:5:6:80"), ("a.example", 80, "fd00::")),
        ("*", ("a.example", 80, METADATA), None),
        ("169.254.169.254", ("a.example", 80, METADATA), ("a.example", 80, "169.254.169.253")),
    ],
)
def test_allow_private_names_hosts_ports_and_networks(
    entry: str, allowed: tuple[str, int, str], refused: tuple[str, int, str] | None
) -> None:
    guard = Guard(["nothing.example", entry])
    assert guard.refusal(*allowed) is None
    assert refused is None or guard.refusal(*refused)


@pytest.mark.parametrize(
    "entry",
    [
        *(
            "",
            " ",
            "http://a.example/",
            "a.example/",
            "a.example:0",
            "a.example:65536",
            "a.example:",
        ),
        *(":80", "10.0.0.1/8", "10.0.0.0/33", "*.a.example", "me@a.example", "[::1", "1.2.3.400"),
        *("a b", "a.example:", "fe80::1%eth0", "[a]:1", "::1:65536"),
    ],
)
def test_an_entry_that_is_none_is_an_error(entry: str) -> None:
    with pytest.raises(SettingError, match=r"allow_private must hold hosts, host:port, addresses"):
        Guard([entry])


@pytest.mark.parametrize(
    ("entry", "hint"),
    [
        ("::1:80", "; write [::1]:80 or [::1:80]"),
        ("fd00::1:8080", "; write [fd00::1]:8080 or [fd00::1:8080]"),
        ("10", "; the address 0.0.0.10 is written with its dots"),
        ("10:80", "; the address 0.0.0.10 is written with its dots"),
        ("10.", "; the address 0.0.0.10 is written with its dots"),
        ("0x7f000001", "; the address 127.0.0.1 is written with its dots"),
        ("\uff11\uff10", "; the address 0.0.0.10 is written with its dots"),
    ],
)
def test_an_entry_that_means_something_else_quietly_is_an_error(entry: str, hint: str) -> None:
    with pytest.raises(SettingError) as caught:
        Guard([entry])
    assert str(caught.value).endswith(f"got {entry!r}{hint}")


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "10.0.0.1", METADATA, "::1", "::ffff:127.0.0.1", "64:ff9b::127.0.0.1"),
        *("2130706433", "0x7f.1", "127.1", "127.0.0.1."),
        *("localhost", "localhost.", "app.localhost", "intranet", "printer.local"),
        *("metadata.google.internal", "nas.home.arpa", "localhost.localdomain"),
    ],
)
def test_a_proxy_is_not_asked_for_what_is_private_by_its_name(host: str) -> None:
    assert Guard().refusal_unresolved(host, 80)
    assert (
        Guard([host] if ":" in host or host[0].isalpha() else ["*"]).refusal_unresolved(host, 80)
        is None
    )


def test_a_proxy_is_asked_for_names_and_seeds() -> None:
    guard = seeded("http://127.0.0.1/", "http://intranet:81/", "http://inside.example/")
    assert guard.refusal_unresolved("a.example", 80) is None
    assert guard.refusal_unresolved("8.8.8.8", 80) is None
    assert guard.refusal_unresolved("127.0.0.1", 80) is None
    assert guard.refusal_unresolved("intranet", 81) is None
    assert guard.refusal_unresolved("intranet", 80)
    assert guard.refusal_unresolved("127.0.0.1", 81)


def test_what_is_kept_of_seeds_is_bounded() -> None:
    guard = Guard()
    for number in range(100_001):
        guard.add_seed(f"http://s{number}.example/")
    assert len(guard.changes()) == 100_000
    assert guard.refusal("s100000.example", 80, "10.0.0.1")
    assert guard.refusal("s99999.example", 80, "10.0.0.1") is None


def test_names_of_others_are_not_its_own() -> None:
    guard = Guard()
    guard.learn("seed a.example:80", b"private")
    assert guard.refusal("a.example", 80, "10.0.0.1")
