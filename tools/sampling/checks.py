"""What can be refused of a run's settings before anything is loaded or written."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING

from tools.errors import UsageError
from tools.models.chat import check_date, read_template_kwargs
from tools.models.folder import NotAModel, check_folder, check_tokenizer
from tools.models.hub import is_hub_name

if TYPE_CHECKING:
    from tools.sampling.settings import RunSettings


def check_settings(settings: RunSettings) -> None:
    """Raises UsageError for values that cannot be meant."""
    sampling, batch = settings.sampling, settings.engine_options.max_num_seqs
    rules = (
        (
            sampling.max_new_tokens >= 1,
            f"OUT_SEQ_LEN={sampling.max_new_tokens} leaves no room for an answer; give 1 or more",
        ),
        (sampling.temperature >= 0, f"TEMPERATURE={sampling.temperature} is negative; give 0 (greedy) or more"),
        (0 < sampling.top_p <= 1, f"TOP_P={sampling.top_p} is outside (0, 1]"),
        (sampling.top_k is None or sampling.top_k >= 1, f"TOP_K={sampling.top_k} leaves no token; unset it for all"),
        (sampling.min_p is None or 0 <= sampling.min_p <= 1, f"MIN_P={sampling.min_p} is outside [0, 1]"),
        (
            sampling.repetition_penalty is None or sampling.repetition_penalty > 0,
            f"REPETITION_PENALTY={sampling.repetition_penalty} is not over 0",
        ),
        (
            sampling.presence_penalty is None or -2 <= sampling.presence_penalty <= 2,
            f"PRESENCE_PENALTY={sampling.presence_penalty} is outside [-2, 2]",
        ),
        (settings.limit is None or settings.limit >= 1, f"LIMIT={settings.limit} leaves no problem; give 1 or more"),
        (batch is None or batch >= 1, "MAX_NUM_SEQS must be 1 or more"),
        (not (settings.join and settings.overwrite), "JOIN=1 and --overwrite exclude each other; give one"),
        (
            not (settings.join and settings.launcher == "ray"),
            "JOIN=1 is for launchers without Ray, which reaches all nodes by itself; give one of them",
        ),
        (
            settings.model_type == "chat" or settings.system_prompt is settings.chat_template_kwargs is None,
            f"SYSTEM_PROMPT and CHAT_TEMPLATE_KWARGS are for type chat; the prompt of type {settings.model_type} is fixed",
        ),
        (
            settings.model_type == "chat" or settings.needs.tokenizer or not settings.needs.has_own_template,
            f"ENGINE={settings.engine} leaves the template to the provider; set MODEL_TYPE=chat",
        ),
    )
    for is_fine, message in rules:
        if not is_fine:
            raise UsageError(message)
    read_template_kwargs(settings.chat_template_kwargs)
    settings.engine_options.check()
    if settings.prompt_date is not None:
        check_date(settings.prompt_date)


def check_model(settings: RunSettings) -> None:
    """Raises UsageError for a folder that is not there or holds no model, ModelError for one that no engine could load,
    before anything is started or written."""
    if not settings.needs.loads_model or is_hub_name(settings.model):
        return
    model = pathlib.Path(settings.model)
    if not model.is_dir():
        raise UsageError(
            f"{settings.model}: no such model folder; give a folder with config.json and weights, or a hub name like org/model"
        )
    tokenizer = pathlib.Path(settings.tokenizer or settings.model)
    try:
        if tokenizer.is_dir() and (model / "config.json").is_file():
            check_tokenizer(tokenizer)
        check_folder(model, has_tokenizer=False)
    except NotAModel as error:  # the wrong folder was given
        raise UsageError(str(error)) from error
