"""Fields of a model request that are always refused, because they change the price or the model of the answer.

The fields are those of the model servers behind a gateway (OpenAI, LiteLLM, OpenRouter, xAI, Perplexity, vLLM,
llama.cpp, Ollama). Names are compared in lower case, because some servers ignore case.
"""

import re
from collections.abc import Mapping
from typing import Final

GATEWAY_FIELDS: Final = frozenset(
    {
        "model",
        "stream",
        "stream_options",
        "n",
        "best_of",
        "max_tokens",
        "max_completion_tokens",
        "usage",
        "messages",
        "prompt",
        "input",
        "tools",
        "functions",
        "metadata",
    }
)
"""Fields that the gateway reads. In another case only the model server would read them."""
FIELD_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")

_OVERRIDES_MODEL: Final = (
    "{} could choose another model, server or account than the one that is priced. It is never passed on."
)
_CHANGES_PRICE: Final = "{} changes what the answer costs. It is never passed on."
_CHANGES_LENGTH: Final = "{} sets the length or the number of the answers under another name. Use max_tokens and n."

MODEL_OVERRIDE_KEYS: Final = frozenset(
    {
        "models",
        "fallbacks",
        "route",
        "model_list",
        "preset",
        "provider",
        "transforms",
        "plugins",
        "extra_body",
        "extra_headers",
        "extra_query",
        "headers",
        "provider_specific_header",
        "proxy_server_request",
        "litellm_params",
        "litellm_metadata",
        "user_config",
        "deployment",
        "deployment_id",
        "specific_deployment",
        "engine",
        "context_window_fallback_dict",
        "api_base",
        "base_url",
        "api_key",
        "api_type",
        "api_version",
        "organization",
        "custom_llm_provider",
        "azure",
        "base_model",
        "model_info",
        "hf_model_name",
        "region_name",
        "tags",
        "prompt_id",
        "prompt_variables",
        "num_retries",
        "retry_policy",
        "caching_groups",
        "client",
        "adapter",
        "adapter_id",
        "adapter_source",
        "lora",
        "lora_request",
        "lora_path",
        "draft_model",
        "kv_transfer_params",
        "svg",
    }
)
PRICE_KEYS: Final = frozenset(
    {
        "service_tier",
        "web_search",
        "web_search_options",
        "search",
        "search_mode",
        "search_options",
        "search_parameters",
        "enable_search",
        "mock_response",
        "mock_timeout",
        "cache",
        "caching",
        "no-log",
    }
)
LENGTH_KEYS: Final = frozenset(
    {"n_predict", "num_predict", "n_cmpl", "max_new_tokens", "max_output_tokens", "max_length", "options"}
)
KEY_PREFIXES: Final = ("mock_testing_", "litellm_", "aws_", "azure_", "vertex_", "watsonx_")
KEY_SUFFIXES: Final = ("fallbacks", "_cost_per_token", "_cost_per_second")
"""Prefixes and suffixes of further such fields: LiteLLM has many for fallbacks, accounts and costs."""
_SENTENCES: Final[Mapping[str, str]] = {
    **dict.fromkeys(MODEL_OVERRIDE_KEYS, _OVERRIDES_MODEL),
    **dict.fromkeys(PRICE_KEYS, _CHANGES_PRICE),
    **dict.fromkeys(LENGTH_KEYS, _CHANGES_LENGTH),
}

METADATA_KEYS: Final = frozenset(
    {"tags", "specific_deployment", "deployment", "model_info", "api_base", "caching_groups", "guardrails"}
)
"""Keys of `metadata` by which LiteLLM selects the model or account."""
METADATA_PREFIXES: Final = ("litellm_", "user_api_key")
METADATA_SUFFIX: Final = "fallbacks"


def refusal(name: str) -> str | None:
    """The reason why a request must not have the field `name`, as a sentence; None if a setting can allow it."""
    bare = name.casefold()
    sentence = _SENTENCES.get(bare)
    if sentence is None and (bare.startswith(KEY_PREFIXES) or bare.endswith(KEY_SUFFIXES)):
        sentence = _OVERRIDES_MODEL
    return None if sentence is None else sentence.format(bare)


def overrides_model(key: str) -> bool:
    """True if a model server could select another model by this key of `metadata`."""
    bare = key.casefold()
    return bare in METADATA_KEYS or bare.startswith(METADATA_PREFIXES) or bare.endswith(METADATA_SUFFIX)


def check_extra_field(name: str) -> str:
    """The name of a field that an administrator can allow. Raises `ValueError` for a field that is always refused."""
    if FIELD_NAME.fullmatch(name) is None or refusal(name) is not None or name.casefold() in GATEWAY_FIELDS:
        raise ValueError(name)
    return name
