"""Names as people type them in a search: without capitals and accents, so that "le loi" finds "Lê Lợi"."""

import unicodedata
from functools import lru_cache


@lru_cache(4096)  # names repeat: each room has its projector
def folded(text: str) -> str:
    """`text` in small letters without accents, đ as d, each run of white space as one blank."""
    spelled = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    plain = "".join(each for each in spelled if not unicodedata.combining(each))
    return " ".join(plain.split())
