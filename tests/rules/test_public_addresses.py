from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.rules.public_addresses import is_metadata, is_public

NOT_PUBLIC = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255",
    "100.100.100.200", "127.0.0.1", "127.255.255.254", "168.63.129.16", "169.254.0.1",
    "169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.255", "192.0.0.1",
    "192.0.0.8", "192.0.0.9", "192.0.0.10", "192.0.0.170", "192.0.0.192", "192.0.2.1",
    "192.88.99.1", "192.168.0.1", "192.168.255.255", "198.18.0.1", "198.19.255.255",
    "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1",
    "255.255.255.255", "::", "::1", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1",
    "::ffff:8.8.8.8", "::ffff:0:8.8.8.8", "64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1",
    "64:ff9b::169.254.169.254", "64:ff9b::0.0.0.0", "64:ff9b:1::8.8.8.8", "100::1", "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:2::1", "2001:10::1", "2001:20::1",
    "2001:db8::1", "2002:7f00:1::", "2002:808:808::", "3fff::1", "4000::1", "5f00::1",
    "fc00::1", "fd00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "2606:4700::1111%1",
    "fec0::1", "ff02::1", "localhost", "127.1", "0x7f.0.0.1", "0177.0.0.1", "2130706433",
    "1.2.3", "1.2.3.4.5", "08.8.8.8", "8.8.8.8.", "[::1]", "nonsense",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
    "126.255.255.255", "128.0.0.0", "168.63.129.15", "168.63.129.17", "169.253.255.255",
    "169.255.0.0", "172.15.255.255", "172.32.0.0", "191.255.255.255", "192.0.1.0",
    "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
    "2606:4700::1111", "2001:200::1", "2001:4860:4860::8888", "2a00:1450::1", "3ffe::1",
    "64:ff9b::8.8.8.8",
]  # fmt: skip


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_what_is_within_no_public_network_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_the_rest_is(address: str) -> None:
    assert is_public(address)
    assert not is_metadata(address)


@pytest.mark.parametrize(
    "address",
    [
        *("169.254.169.254", "169.254.170.2", "168.63.129.16", "100.100.100.200", "192.0.0.192"),
        *("::ffff:169.254.169.254", "64:ff9b::169.254.169.254", "::169.254.169.254"),
        *("fd00:ec2::254", "fe80::1", "fe80::1%eth0"),
    ],
)
def test_where_clouds_tell_secrets_is_known_however_it_is_wrapped(address: str) -> None:
    assert is_metadata(address)
    assert not is_public(address)


@pytest.mark.parametrize("address", ["10.0.0.1", "127.0.0.1", "::1", "fd00::1", "192.168.1.1"])
def test_other_private_addresses_tell_none(address: str) -> None:
    assert not is_metadata(address)


@given(st.ip_addresses())
def test_python_has_no_more_doubts_than_we(address: IPv4Address | IPv6Address) -> None:
    if is_public(str(address)):
        assert address.is_global
        assert not address.is_multicast


@given(st.ip_addresses(v=4))
def test_an_address_within_another_is_no_way_in(address: IPv4Address) -> None:
    number = int(address)
    assert is_public(str(IPv6Address(0x64FF9B << 96 | number))) == is_public(str(address))
    mapped, translated, by_6to4 = 0xFFFF << 32, 0xFFFF << 48, 0x2002 << 112 | number << 80
    for wrapped in (number, mapped | number, translated | number, by_6to4):
        assert not is_public(str(IPv6Address(wrapped)))
