"""Names of languages, as the public sets and people write them → ISO 639-1."""

from __future__ import annotations

import re
from functools import lru_cache

NAMES = {
    "arabic": "ar",
    "chinese": "zh",
    "simplified chinese": "zh",
    "traditional chinese": "zh",
    "dutch": "nl",
    "english": "en",
    "french": "fr",
    "german": "de",
    "hindi": "hi",
    "indonesian": "id",
    "italian": "it",
    "japanese": "ja",
    "korean": "ko",
    "portuguese": "pt",
    "russian": "ru",
    "spanish": "es",
    "thai": "th",
    "vietnamese": "vi",
    # codes that are not those of ISO 639-1
    "cn": "zh",
    "jp": "ja",
    "eng": "en",
    "rus": "ru",
    "английский": "en",
    "русский": "ru",
}


@lru_cache(maxsize=1000)
def language_of(name: str) -> str | None:
    """The code of a language, "" for no name, None for a name that says nothing.

    >>> [language_of(name) for name in ("Russian", "ru-RU", "Traditional-Chinese", "simplified_chinese", "jp", "kk")]
    ['ru', 'ru', 'zh', 'zh', 'ja', 'kk']
    >>> language_of("en_ch_mixed"), language_of("")
    (None, '')
    """
    plain = re.sub(r"[\s_-]+", " ", name.strip().lower())
    if plain in NAMES:
        return NAMES[plain]
    code = plain.split(" ")[0] if re.fullmatch("[a-z]{2}( [a-z]{2,4})?", plain) else plain
    if code in NAMES:
        return NAMES[code]
    return code if re.fullmatch("([a-z]{2})?", code) else None
