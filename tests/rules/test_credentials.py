import pytest

from crawler.errors import SettingError
from crawler.rules.credentials import Credentials, masked
from crawler.settings import Layer, Settings, merge

BASIC = ("Authorization", "Basic bWU6cGFzczp3b3Jk")
BEARER = ("Authorization", "Bearer abc.DEF-1~/+==")


def credentials(**settings: object) -> Credentials:
    return Credentials(merge([Layer("test", settings)]))


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("me:pass:word", BASIC),
        ("Bearer abc.DEF-1~/+==", BEARER),
        (" bearer  abc.DEF-1~/+== ", BEARER),
        ("Basic bWU6cGFzczp3b3Jk", BASIC),
        ("mé:ü", ("Authorization", "Basic bcOpOsO8")),
        (":", ("Authorization", "Basic Og==")),
    ],
)
def test_credentials_are_sent_to_the_origin_that_they_are_for(
    given: str, sent: tuple[str, str]
) -> None:
    own = credentials(auth={"https://A.example:443": given})
    assert own.of("https://a.example/x?y") == (sent,)
    for elsewhere in (
        "http://a.example/",
        "https://a.example:444/",
        "https://b.example/",
        "https://b.a.example/",
        "https://a.example./",
    ):
        assert own.of(elsewhere) == ()


@pytest.mark.parametrize(
    "key",
    [
        *("a.example", "", "https://a.example/x", "https://a.example/?", "https://a.example/#x"),
        *("https://me:secret@a.example", "http://[", "ftp://a.example", "https://me:secret@["),
    ],
)
def test_a_key_that_is_no_origin_is_an_error(key: str) -> None:
    with pytest.raises(SettingError, match="auth must be for origins, as https://") as error:
        credentials(auth={key: "me:secret"})
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("value", ["secret", "", "Bearer", "Bearer se cret", "Basic me:secret"])
def test_credentials_that_cannot_be_sent_are_an_error_that_hides_them(value: str) -> None:
    with pytest.raises(SettingError, match=r"auth for https://a\.example must be user") as error:
        credentials(auth={"https://a.example": value})
    assert "cret" not in str(error.value)


@pytest.mark.parametrize("value", ['["secret"]', '{"https://a.example": 7, "b": "secret"}', 5])
def test_auth_of_another_type_is_an_error_that_hides_it(value: object) -> None:
    with pytest.raises(SettingError, match="test: auth must be names and values") as error:
        credentials(auth=value)
    assert "secret" not in str(error.value)


def test_secret_headers_of_the_settings_are_for_the_origins_of_seeds() -> None:
    headers = {"Cookie": "a=b", "X-Key": "k", "X-Open": "o", "authorization": "x"}
    own = credentials(headers=headers, secret_headers=["x-KEY"])
    secret = (("Cookie", "a=b"), ("X-Key", "k"), ("authorization", "x"))
    assert own.of("https://a.example/") == ()
    own.add_seed("https://a.example/x")
    later = credentials(headers=headers, secret_headers=["x-KEY"])
    for name, value in own.changes().items():
        later.learn(name, value)
    assert not own.changes()
    for one in (own, later):
        assert one.of("https://a.example/robots.txt") == secret
        assert one.of("http://a.example/") == ()
        assert one.of("https://b.example/") == ()


def test_auth_of_an_origin_wins_over_everybodys_header() -> None:
    own = credentials(headers={"authorization": "x", "Cookie": "c"}, auth={"http://a/": "me:pass"})
    own.add_seed("http://a/")
    assert own.of("http://a/x") == (("Authorization", "Basic bWU6cGFzcw=="), ("Cookie", "c"))


def test_seeds_are_not_kept_where_nothing_goes_by_them() -> None:
    own = credentials(headers={"X-Open": "o"}, auth={"http://a/": "me:pass"})
    own.add_seed("http://a/")
    assert not own.changes()


@pytest.mark.parametrize(
    ("proxy", "shown"),
    [
        ("http://me:hunter2@p.example:1", "http://***@p.example:1"),
        ("me:hunter2@p.example:1", "***@p.example:1"),
        ("http://p.example:1", "http://p.example:1"),
        (None, None),
    ],
)
def test_settings_are_shown_without_their_secrets(proxy: str | None, shown: str | None) -> None:
    settings = Settings(
        auth={"https://a.example": "me:hunter2"},
        headers={"Cookie": "hunter2", "X-Key": "hunter2", "X-Open": "o"},
        secret_headers=("x-key",),
        proxy=proxy,
    )
    told = masked(settings)
    assert told.auth == {"https://a.example": "***"}
    assert told.headers == {"Cookie": "***", "X-Key": "***", "X-Open": "o"}
    assert told.proxy == shown
    assert "hunter2" not in str(told)
