"""What vLLM's errors mean: memory that ran out, a fault that no restart mends, or one that may pass.

On CUDA the engine is a process of its own. Its exception stays there; this side gets "Engine core initialization
failed" or EngineDeadError, and the exception itself stands in the log. So `explain` reads the exception, what it was
raised from, and the log, and gives one line with vLLM's own sentence and the option to change.

>>> busy = ValueError("Free memory on device cuda:0 (31.44/79.11 GiB) on startup is less than desired.")
>>> type(explain(busy, model="m")).__name__, "GPU_MEMORY_UTILIZATION" in str(explain(busy, model="m"))
('ModelError', True)
>>> find_messages("(EngineCore pid=7) ERROR 11-26 02:46:11 [core.py:1512] torch.OutOfMemoryError: CUDA out of memory.")
[Message(type='torch.OutOfMemoryError', text='CUDA out of memory.')]
"""

from __future__ import annotations

import dataclasses
import enum
import re
from collections.abc import Iterator, Sequence

from tools.engines.vllm_processes import describe_exit
from tools.errors import EngineError, EngineOutOfMemory, ModelError

LONGEST_SENTENCE = 600


class FaultOutcome(enum.Enum):
    """What the launcher can do about a fault."""

    MEMORY = "a smaller batch may pass"
    PERMANENT = "only another setting helps"
    PASSING = "a restart may help"


@dataclasses.dataclass(frozen=True)
class Message:
    """One exception as Python prints it: the type's name and the text, on one line."""

    type: str
    text: str


@dataclasses.dataclass(frozen=True)
class KnownFault:
    """Faults whose text matches `pattern`, and what helps."""

    pattern: re.Pattern[str]
    outcome: FaultOutcome
    remedy: str = ""


def _known(pattern: str, outcome: FaultOutcome, remedy: str = "") -> KnownFault:
    return KnownFault(re.compile(pattern, re.IGNORECASE), outcome, remedy)


# The first that matches decides. Texts that speak of memory without its having run out come before those of memory.
KNOWN_FAULTS = (
    _known(
        r"Error in memory profiling|memory profiling assumes",
        FaultOutcome.PASSING,
        "another process gave memory back meanwhile; give each run GPUs of its own (GPUS)",
    ),
    _known(
        r"Free memory on device|Externally held weights on device",
        FaultOutcome.PERMANENT,
        "another process uses this GPU: end it, choose other GPUs (GPUS), or lower GPU_MEMORY_UTILIZATION",
    ),
    _known(
        r"No available memory for the cache blocks",
        FaultOutcome.PERMANENT,
        "raise GPU_MEMORY_UTILIZATION or TENSOR_PARALLEL, or lower MAX_NUM_SEQS",
    ),
    _known(
        r"KV cache is needed, which is larger|max seq len \(\d+\) is larger than the maximum number of tokens",
        FaultOutcome.PERMANENT,
        "lower OUT_SEQ_LEN, or raise GPU_MEMORY_UTILIZATION or TENSOR_PARALLEL",
    ),
    _known(
        r"exceeds available Mamba cache blocks|max_num_seqs \(\d+\) exceeds",
        FaultOutcome.PERMANENT,
        "lower MAX_NUM_SEQS",
    ),
    _known(
        r"out of memory|OutOfMemory|CUBLAS_STATUS_ALLOC_FAILED|CUDNN_STATUS_ALLOC_FAILED|cudaErrorMemoryAllocation|"
        r"\bMemoryError\b|can't allocate memory|cannot allocate memory",
        FaultOutcome.MEMORY,
    ),
    _known(
        r"attention heads \(\d+\) must be divisible|divisible by tensor parallel|is not divisible by \d+|"
        r"World size \(\d+\) is larger than the number of available GPUs|Tensor parallel size \(\d+\) cannot be larger",
        FaultOutcome.PERMANENT,
        "choose another TENSOR_PARALLEL",
    ),
    _known(r"pipeline parallel", FaultOutcome.PERMANENT, "choose another pipeline_parallel_size in ENGINE_ARGS"),
    _known(
        r"bfloat16 is (only|not) supported|does not support (float16|bfloat16)|Unknown dtype|numerical instability|"
        r"torch_dtype|`dtype`|\bdtype\.(?:literal|is-instance)|\bdtype\b.{0,40}not supported",
        FaultOutcome.PERMANENT,
        "choose another DTYPE (bfloat16, float16 or float32)",
    ),
    _known(
        r"max_model_len \(\d+\) is greater than the derived",
        FaultOutcome.PERMANENT,
        "lower OUT_SEQ_LEN to what the model can do",
    ),
    _known(r"max_num_batched_tokens", FaultOutcome.PERMANENT, "set max_num_batched_tokens in ENGINE_ARGS"),
    _known(
        r"head.?size \d+ is not supported|No valid attention backend|Unsupported head.?size",
        FaultOutcome.PERMANENT,
        "choose another attention_backend in ENGINE_ARGS, or ENGINE=transformers",
    ),
    _known(
        r"trust_remote_code|trust-remote-code", FaultOutcome.PERMANENT, "set TRUST_REMOTE_CODE=1 if you trust its code"
    ),
    _known(
        r"LoRA rank \d+ is greater than|max_lora_rank",
        FaultOutcome.PERMANENT,
        "give ENGINE_ARGS='{\"max_lora_rank\": N}'",
    ),
    _known(
        r"\blora\b|adapter_config\.json|adapter_model",
        FaultOutcome.PERMANENT,
        "check ADAPTER and the model it was made for",
    ),
    _known(
        r"quantization|quant_method|Marlin|bitsandbytes|Cannot find the config file for \w+",
        FaultOutcome.PERMANENT,
        "choose another QUANTIZATION, or unset it to take the model's own",
    ),
    _known(
        r"unexpected keyword argument|unrecognized arguments|Extra inputs are not permitted",
        FaultOutcome.PERMANENT,
        "check the names in ENGINE_ARGS against vLLM's engine arguments",
    ),
    _known(
        r"Model architectures? .{0,200}(not supported|failed to be inspected)|has no vLLM implementation|"
        r"does not recognize this architecture",
        FaultOutcome.PERMANENT,
        "try ENGINE=transformers, or a newer vLLM",
    ),
    _known(
        r"No CUDA GPUs are available|Failed to infer device type|Found no NVIDIA driver|no kernel image is available|"
        r"driver version is insufficient|invalid device ordinal|no CUDA-capable device",
        FaultOutcome.PERMANENT,
        "check the driver and CUDA_VISIBLE_DEVICES; GPUS chooses among what is visible",
    ),
    _known(
        r"SafetensorError|HeaderTooLarge|MetadataIncompleteBuffer|invalid header|Cannot find any model weights|"
        r"size mismatch|no module or parameter named",
        FaultOutcome.PERMANENT,
        "the weights are damaged or of another model: fetch them again",
    ),
    _known(
        r"Address already in use|Timed out waiting for engine core|NCCL error|Connection (reset|refused)",
        FaultOutcome.PASSING,
    ),
)
# Exceptions of a start that say the same thing again, however often it is tried.
PERMANENT_TYPES = {
    "ValueError", "KeyError", "TypeError", "AttributeError", "AssertionError", "NotImplementedError", "ValidationError",
    "VLLMValidationError", "OSError", "FileNotFoundError", "PermissionError", "ImportError", "ModuleNotFoundError",
    "SafetensorError", "HFValidationError", "RepositoryNotFoundError", "GatedRepoError", "EntryNotFoundError",
    "LocalEntryNotFoundError", "JSONDecodeError", "UnicodeDecodeError",
}  # fmt: skip
# These only say that something was said elsewhere.
WRAPPERS = re.compile(
    r"See root cause above|Engine core initialization failed|EngineCore encountered an issue|See stack trace|"
    r"WorkerProc initialization failed|check the stack trace above|Frontend process failed"
)
NO_ROOM_FOR_WEIGHTS = re.compile(r"Failed to load model - not enough GPU memory")  # vLLM's line before its exception
KILLED = re.compile(r"Failed core proc\(s\): \{[^}]*: -(9|11|6|7)\b")
PREFIX = re.compile(r"\([^()]*pid=\d+\) (?:[A-Z]+ \d\d-\d\d \d\d:\d\d:\d\d \[[^\]]*\] ?)?")
EXCEPTION = re.compile(r"([A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit|Failure))(?:: ?(.*))?")
NOT_ITS_TEXT = ("Traceback (most recent", "During handling of", "The above exception", "error: ", "[", "Loading ")
VALIDATION = re.compile(r"\d+ validation errors? for \w+")
DETAILS = re.compile(r"\[type=\w+, [^\]]*\]|For further information visit \S+|See https?://\S+ for more details\.?")


def explain(
    error: BaseException,
    *,
    model: str,
    capacity: int | None = None,
    log: str = "",
    is_starting: bool = True,
    suspects: Sequence[str] = (),
) -> EngineError | ModelError:
    """The error to raise in its place. `log` is what this process and those behind it have printed since the start;
    `suspects` are options that were given and reach vLLM as they are: named where nothing better is known."""
    if killed := KILLED.search(str(error)):
        return EngineError(f"vLLM's engine process ended {describe_exit(-int(killed[1]))} while it started")
    if is_starting and NO_ROOM_FOR_WEIGHTS.search(log):  # no batch is small enough
        return ModelError(
            f"{model}: the weights do not fit into the memory of the GPU; raise TENSOR_PARALLEL, choose QUANTIZATION, or free the GPU"
        )
    raised = [Message(type(part).__name__, clean(str(part))) for part in chain_of(error)]
    printed = find_messages(log)
    outcome, remedy, message = judge(raised, printed, is_starting)
    sentence = message.text or message.type
    if outcome is FaultOutcome.MEMORY:
        batch = f" with {capacity} sequence{'s' * (capacity > 1)}" if capacity else ""
        return EngineOutOfMemory(f"out of memory{batch}: {sentence}")
    if outcome is FaultOutcome.PERMANENT:
        suspicion = f"check {' and '.join(suspects)}, and " if suspects else ""
        advice = remedy or f"{suspicion}see the worker's log"
        return ModelError(f"{model}: vLLM cannot start: {sentence.rstrip('.')}; {advice}")
    advice = f"; {remedy}" if remedy else "; see the worker's log"
    return EngineError(f"vLLM broke ({message.type}: {sentence.rstrip('.')}){advice}")


def judge(
    raised: Sequence[Message], printed: Sequence[Message], is_starting: bool
) -> tuple[FaultOutcome, str, Message]:
    """What the messages come to: the outcome, what helps, and the message that says it best."""
    raised = [message for message in raised if not WRAPPERS.search(message.text)] or raised[:1]
    printed = [message for message in printed if not WRAPPERS.search(message.text)]
    for fault in KNOWN_FAULTS:
        for message in (*raised, *printed):
            if fault.pattern.search(f"{message.type}: {message.text}"):
                may_be_permanent = is_starting or fault.outcome is not FaultOutcome.PERMANENT
                return fault.outcome if may_be_permanent else FaultOutcome.PASSING, fault.remedy, message
    # What was printed last sums up its causes; an exception that came here itself is the outermost.
    message = printed[-1] if printed else raised[0]
    is_permanent = is_starting and message.type.rpartition(".")[2] in PERMANENT_TYPES
    return FaultOutcome.PERMANENT if is_permanent else FaultOutcome.PASSING, "", message


def chain_of(error: BaseException) -> Iterator[BaseException]:
    """An exception and those that it was raised from, the outermost first."""
    seen: set[int] = set()
    part: BaseException | None = error
    while part is not None and id(part) not in seen:
        seen.add(id(part))
        yield part
        part = part.__cause__ or part.__context__


def find_messages(log: str) -> list[Message]:
    """The exceptions that a log holds, in its order, without the marks that vLLM puts before each line."""
    found: list[Message] = []
    mark: str | None = None  # of the lines that may still belong to the last one's text
    for raw in log.split("\n"):
        prefix = PREFIX.match(raw)
        line = raw[prefix.end() :] if prefix else raw
        own_mark = (prefix[0] if prefix else "").partition("[")[0]
        match = EXCEPTION.fullmatch(line.rstrip())
        if match:
            found.append(Message(match[1], match[2] or ""))
            mark = own_mark
        elif line.strip() and own_mark == mark and not line.startswith(NOT_ITS_TEXT):
            found[-1] = dataclasses.replace(found[-1], text=f"{found[-1].text}\n{line}")
        else:
            mark = None
    return [Message(message.type, clean(message.text)) for message in found]


def clean(text: str) -> str:
    """A library's message on one line: what pydantic and links add is left out."""
    text = DETAILS.sub("", text)
    if VALIDATION.match(text):
        text = VALIDATION.sub("", text, count=1).replace("Value error, ", "").replace("Assertion failed, ", "")
    return " ".join(text.split())[:LONGEST_SENTENCE]
