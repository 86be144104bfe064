"""Which language a text is in, by langdetect, as IFEval asks it; with its random numbers fixed.

Without a seed langdetect answers differently from run to run where a text is short or mixed. The seed is set on the
detector that is used here, never for the whole process.

>>> is_in("Das ist ein kurzer Satz auf Deutsch.", "de"), is_in("Das ist ein kurzer Satz auf Deutsch.", "en")
(True, False)
>>> is_in("12345", "de")  # nothing to tell a language by: the authors count this as followed
True
"""

from __future__ import annotations

import functools
from typing import Any

SEED = 0
# langdetect itself looks at no more than 10 000 characters; what it strips before (addresses) may shorten a text.
MOST_CHARS = 100_000


def is_in(text: str, language: str) -> bool:
    from langdetect import LangDetectException

    detector = _factory().create()
    detector.seed = SEED
    detector.append(text[:MOST_CHARS])
    try:
        found: str = detector.detect()
    except LangDetectException:
        return True
    return found == language


@functools.cache
def _factory() -> Any:
    """langdetect's own, with its profiles read: 0.4 s, once."""
    from langdetect import detector_factory

    detector_factory.init_factory()
    return detector_factory._factory
