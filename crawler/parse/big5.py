"""Characters of the web's Big5 that Python's codec lacks.

Source: encoding.spec.whatwg.org, index Big5 (HKSCS of 2008), less what `big5hkscs` has.
"""

from typing import Final

# Pointer into the index, then what stands there and behind it.
_RUNS: Final = (
    " 1000:㡵𡵓𣚞𦀡㻬𥣞㫵竼龗𤅡𨤍𣇪𠪊𣉞䌊蒄龖鐯䤰蘓墖靊鈘秐稲晠権袝瑌篅枂稬剏"
    " 1033:遆㓦珄𥶹瓆鿇垳䤯呌䄱𣚎堘穲𧭥讏䚮𦺈䆁𥶙箮𢒼鿈𢓁𢓉𢓌鿉蔄𣖻䂴鿊䓡𪷿拁灮鿋 2082:箸"
    " 2088:簆 2103:糎 2114:緒 2123:縝 2148:者 2151:耨 2221:菁 2239:蒨 2244:萏 2303:覦覩"
    " 2354:起 2400:都 2413:銹 2477:靜 2498:響 2605:鼖 2673:蔃 2746:兙兛兝兞 2771:鍮 2780:瑹"
    " 2990:浧 3087:禛 3259:邗 3301:靝 3436:瀞 3451:嬨 4136:爁 4138:矗 4141:纇 4182:駖"
    " 4206:釔 4220:惞 4230:澶 4241:輶 4258:侻 4273:營 4279:鄄 4282:鷰 4294:菏 4329:尐秣"
    " 4349:婧 4419:輋 4422:筑 4494:拐 4624:恢 4694:痹 4708:汊 4742:鬮 4748:鼗 4815:僭"
    " 4828:弌 4902:蠏 4922:拎 4982:瑨 4992:煢 4997:牐"
    " 5432:␀␁␂␃␄␅␆␇␈␉␊␋␌␍␎␏␐␑␒␓␔␕␖␗␘␙␚␛␜␝␞␟␡€ 10942:廴"
    " 10946:无 10948:癶 10950:隶 10957:〃仝 19028:倩 19035:偽 19088:包 19096:卄 19112:卿"
    " 19162:嘅 19240:婷 19299:幵 19305:廐 19326:彘 19355:悤 19398:撐 19439:晴 19454:杞"
    " 19553:沜渝 19557:港 19611:煮 19643:猪 19672:瑜 19697:瓩 19748:砉"
)


def _pair(pointer: int) -> bytes:
    """The two bytes of a pointer (the standard's Big5 encoder)."""
    lead, trail = divmod(pointer, 157)
    return bytes((lead + 0x81, trail + (0x40 if trail < 0x3F else 0x62)))


def characters() -> dict[bytes, str]:
    """Return the characters by their two bytes."""
    runs = (run.split(":") for run in _RUNS.split())
    return {
        _pair(int(start) + offset): character
        for start, run in runs
        for offset, character in enumerate(run)
    }
