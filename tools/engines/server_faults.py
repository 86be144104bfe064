"""What a server's error means: try again, ask otherwise, or tell the user which option to set.

Errors come with a status, or inside an answer with status 200. Their words differ from server to server; what is looked
for is a parameter that we sent and a word of refusal, a limit of the context, an account that is used up.

>>> fault = read_fault(400, '{"error": {"message": "Unsupported parameter: seed", "param": "seed"}}')
>>> fault.kind, find_refused(fault, {"seed": 1, "model": "m"})
(<FaultKind.REQUEST: 'request'>, 'seed')
>>> read_fault(400, '{"detail": "maximum context length is 4096 tokens"}').kind
<FaultKind.CONTEXT: 'context'>
"""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Iterable
from typing import Any

from tools.engines import first_line
from tools.errors import RequestFailed

LONGEST_BODY = 20_000  # characters of an error that are looked at


class FaultKind(enum.Enum):
    """What can be done about a fault."""

    BUSY = "busy"  # wait, and ask less at once
    PASSING = "passing"  # try again
    CONTEXT = "context"  # prompt and answer are too long for the model
    REQUEST = "request"  # something in the request is refused
    ACCOUNT = "account"  # no request of ours will be answered: key, quota
    ADDRESS = "address"  # nothing is there that answers, or no such model


class ServerFault(RequestFailed):
    """An error that a server answered with. `text` is its whole body, the message its own sentence without controls."""

    def __init__(
        self, status: int, kind: FaultKind, message: str, text: str, parameter: str, retry_after_s: float | None
    ) -> None:
        super().__init__(f"{message} (status {status})" if status else message)
        self.status, self.kind, self.message = status, kind, message
        self.text, self.parameter, self.retry_after_s = text, parameter, retry_after_s


CONTEXT = re.compile(
    r"context[ _-]?(?:length|window|size|limit)|maximum (?:sequence|model|input|prompt) len|max_model_len|\bn_ctx\b"
    r"|(?:prompt|input|request|sequence)\b[^.]{0,40}\btoo (?:long|large)|too many (?:input )?tokens|reduce the length"
    r"|at most \d+ (?:completion |output |new )?tokens|exceed[^.]{0,60}\btokens\b"
    r"|max_(?:completion_|new_|output_)?tokens[^.]{0,30}(?:too large|must be|should be|cannot be|exceed|greater|less|between|range)",
    re.IGNORECASE,
)
USED_UP = re.compile(
    r"insufficient[_ ](?:quota|balance|credit|funds)|exceeded your current quota|billing|payment|out of credits|credit balance",
    re.IGNORECASE,
)
REFUSAL = re.compile(
    r"unsupported|support|permitted|allowed|accepted|forbidden|extra (?:inputs|fields)|unknown|unrecogni[sz]ed|unexpected"
    r"|invalid|implemented|deprecated|only the default|cannot (?:both )?be|not both|only one|mutually exclusive|conflict|available"
    r"|unavailable|not (?:a )?valid|disabled",
    re.IGNORECASE,
)
BAD_VALUE = re.compile(
    r"must be|should be|range|between|less than|greater than|(?:too|at) (?:large|big|least|most)|maximum|exceed|<=|>=",
    re.IGNORECASE,
)
BOTH = re.compile(r"\bboth\b|only one|mutually exclusive|together|one of", re.IGNORECASE)
# English words too: they count only between quotes or brackets.
COMMON_WORDS = ("stop", "stream", "prompt", "model", "seed")
BUSY_STATUSES = (429, 503, 529)


def read_fault(status: int, body: str, retry_after: str = "", retry_after_ms: str = "") -> ServerFault:
    """An error from its status and body. An error within a 200 has its status in its code, or counts as passing."""
    body = body[:LONGEST_BODY]
    message, code, parameter = _parts_of(body)
    if status == 200:
        status = int(code) if code.isdigit() and 400 <= int(code) < 600 else 502
    words = f"{message} {code}"
    if status in (401, 402, 403) or (status in (400, 429) and USED_UP.search(words)):
        kind = FaultKind.ACCOUNT
    elif status in BUSY_STATUSES:
        kind = FaultKind.BUSY
    elif status in (400, 413, 422, 500) and CONTEXT.search(words):
        kind = FaultKind.CONTEXT
    elif status in (408, 409, 425) or status >= 500:
        kind = FaultKind.PASSING
    elif status in (404, 405, 410):
        kind = FaultKind.ADDRESS
    else:
        kind = FaultKind.REQUEST
    return ServerFault(status, kind, message, body, parameter, _seconds(retry_after, retry_after_ms))


def find_refused(fault: ServerFault, sent: Iterable[str]) -> str | None:
    """The parameter of those sent that a server does not take; None where its words do not say one clearly."""
    names = list(sent)
    if fault.kind not in (FaultKind.REQUEST, FaultKind.CONTEXT) and fault.status != 501:
        return None
    if fault.kind is FaultKind.CONTEXT and not re.search(r"unsupported|not supported", fault.text, re.IGNORECASE):
        return None
    if not (REFUSAL.search(fault.text) or BAD_VALUE.search(fault.text)):
        return None
    if BOTH.search(fault.text) and {"temperature", "top_p"} <= {
        name for name in names if _place(name, fault.text) >= 0
    }:
        return "top_p"
    if fault.parameter in names:
        return fault.parameter
    places = [(place, name) for name in names if (place := _place(name, fault.text)) >= 0]
    return min(places)[1] if places else None


def is_bad_value(fault: ServerFault) -> bool:
    """Whether a refusal is of the value alone, for which the parameter has a range that is told."""
    return bool(BAD_VALUE.search(fault.text)) and not re.search("support|default", fault.text, re.IGNORECASE)


def _place(name: str, text: str) -> int:
    """Where a parameter's name stands as a word of its own; -1 where it does not."""
    word = re.escape(name)
    pattern = rf"[\"'`\[(]{word}[\"'`\])]" if name in COMMON_WORDS else rf"(?<![\w-]){word}(?![\w-])"
    found = re.search(pattern, text)
    if found is None and name == "seed":  # no other word for it is in use
        found = re.search(r"(?<![\w-])seed(?![\w-])", text)
    return found.start() if found else -1


def _parts_of(body: str) -> tuple[str, str, str]:
    """Message, code and parameter of an error's body, whatever its shape."""
    try:
        row: Any = json.loads(body)
    except (ValueError, RecursionError):
        title = re.search(r"<title>([^<]{1,200})", body)
        return first_line(RequestFailed(title[1] if title else body or "an error without a word")), "", ""
    inner = row.get("error") if isinstance(row, dict) else row
    inner = row if inner is None else inner
    if not isinstance(inner, dict):
        return first_line(RequestFailed(str(inner))), "", ""
    said = inner.get("message") or inner.get("detail") or inner.get("msg") or inner.get("error") or inner
    parameter = inner.get("param")
    if isinstance(said, list) and said and isinstance(said[0], dict):  # FastAPI's list of what is wrong
        place = said[0].get("loc")
        parameter = place[-1] if isinstance(place, list) and place else parameter
        said = f"{parameter}: {said[0].get('msg')}"
    code = inner.get("code") or inner.get("status") or ""
    return first_line(RequestFailed(str(said))), str(code), parameter if isinstance(parameter, str) else ""


def _seconds(retry_after: str, retry_after_ms: str) -> float | None:
    """The pause that a server asks for, where it is a number."""
    for text, unit in ((retry_after_ms, 1000.0), (retry_after, 1.0)):
        try:
            seconds = float(text) / unit
        except ValueError:
            continue
        if 0 <= seconds < 1e6:
            return seconds
    return None
