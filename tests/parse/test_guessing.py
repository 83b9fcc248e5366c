"""Bodies that do not say what they are in."""

import pytest

from crawler.parse.encoding import decode_with_name, detect, utf8_with_name

TEXTS = {
    "ja": "日本語のページへようこそ。このサイトでは、毎日の天気と新しいニュースを紹介しています。",
    "ko": "한국어 페이지에 오신 것을 환영합니다. 오늘의 날씨와 새로운 소식을 알려 드립니다.",
    "zh-tw": "歡迎來到這個網頁，我們每天為您介紹天氣與最新的消息，請慢慢閱讀。",
    "zh-cn": "欢迎来到这个网页，我们每天为您介绍天气和最新的消息，请慢慢阅读。",
    "ru": "Добро пожаловать на нашу страницу: каждый день здесь новости и прогноз погоды.",
    "el": "Καλώς ήρθατε στη σελίδα μας, κάθε μέρα έχουμε νέα και τον καιρό της χώρας.",
    "he": "ברוכים הבאים לאתר שלנו, כאן תמצאו בכל יום חדשות ואת תחזית מזג האוויר.",
    "ar": "أهلا وسهلا بكم في موقعنا، هنا تجدون كل يوم أخبارا جديدة وحالة الطقس.",
    "th": "ยินดีต้อนรับสู่เว็บไซต์ของเรา ที่นี่มีข่าวและพยากรณ์อากาศทุกวัน",
    "pl": "Witamy na naszej stronie, gdzie każdego dnia są świeże wiadomości i źródła pogody.",
    "tr": "Sayfamıza hoş geldiniz, burada her gün yeni haberler ve hava durumu vardır, iyi günler.",
    "de": "Willkommen auf unserer Seite, hier gibt es täglich Neues aus Köln, München und Fußball.",
    "fr": "Bienvenue à tous sur notre site, où vous trouverez la météo et l'actualité d'été.",
}


@pytest.mark.parametrize(
    ("language", "codec", "name"),
    [
        ("ja", "cp932", "shift_jis"),
        ("ja", "euc_jp", "euc-jp"),
        ("ko", "cp949", "euc-kr"),
        ("zh-tw", "big5", "big5"),
        ("zh-cn", "gbk", "gbk"),
        ("ru", "cp1251", "windows-1251"),
        ("ru", "koi8-r", "koi8-u"),  # of which KOI8-R is a part, but for box drawing
        ("ru", "iso8859_5", "iso-8859-5"),
        ("ru", "cp866", "ibm866"),
        ("el", "iso8859_7", "windows-1253"),
        ("he", "cp1255", "windows-1255"),
        ("ar", "cp1256", "windows-1256"),
        ("th", "cp874", "windows-874"),
        ("pl", "iso8859_2", "iso-8859-2"),
        ("pl", "cp1250", "windows-1250"),
        ("tr", "iso8859_9", "windows-1254"),
        ("de", "cp1252", "windows-1252"),
        ("fr", "cp1252", "windows-1252"),
    ],
)
def test_an_undeclared_page_is_read_as_what_it_looks_like(
    language: str, codec: str, name: str
) -> None:
    page = f"<html><title>x</title><p>{TEXTS[language]}</p>"
    body = page.encode(codec)
    assert decode_with_name(body, "text/html") == (name, page)
    assert detect(body, None) == name
    assert utf8_with_name(body, "text/plain") == (name, page.encode())


def test_what_is_declared_is_not_guessed() -> None:
    body = TEXTS["ru"].encode("cp1251")
    assert detect(body, "text/html; charset=iso-8859-1") == "windows-1252"
    assert detect(b"<meta charset=koi8-r>" + body, "text/html") == "koi8-r"


def test_text_far_behind_much_ascii_is_found() -> None:
    page = "<p>" + "plain " * 100_000 + TEXTS["ru"]
    assert decode_with_name(page.encode("cp1251"), None) == ("windows-1251", page)


def test_one_broken_byte_does_not_make_a_utf_8_page_another() -> None:
    page = TEXTS["ru"].encode()
    name, text = decode_with_name(page + b"\xff" + page, None)
    assert (name, text) == ("utf-8", TEXTS["ru"] + "\ufffd" + TEXTS["ru"])
    assert utf8_with_name(page + b"\xff" + page, None) == (name, text.encode())


@pytest.mark.parametrize("body", [b"\xe9", b"\x93\xe9\x94", bytes(range(256)) * 3])
def test_what_looks_like_nothing_is_windows_1252(body: bytes) -> None:
    assert decode_with_name(b"x" + body, None)[0] == "windows-1252"


def test_hidden_escapes_are_no_reason_for_another_encoding() -> None:
    body = b"\x1b$B%=\x1b(B<script>"
    assert detect(body, None) == "utf-8"
    assert detect(body + b"\xe9", None) == "windows-1252"
