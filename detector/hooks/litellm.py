"""A guardrail of the LiteLLM proxy (https://docs.litellm.ai/docs/proxy/guardrails)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from detector.filter import Filter, Policy
from detector.hooks.streams import StreamScanner
from detector.hooks.values import Shown, TooMuchError, missing, note, put, usual_filter
from detector.streams import StreamError, aredact_chunks, aredact_sse

try:
    from litellm.exceptions import GuardrailRaisedException
    from litellm.integrations.custom_guardrail import CustomGuardrail
    from litellm.types.guardrails import GuardrailEventHooks
except ImportError:
    raise missing("litellm is not installed", "litellm") from None

_BEFORE = GuardrailEventHooks.pre_call
_AFTER = GuardrailEventHooks.post_call
_OWN = frozenset(
    {"metadata", "litellm_metadata", "secret_fields", "api_key", "user_api_key_dict"}
    | {"litellm_logging_obj", "litellm_call_id", "litellm_trace_id", "proxy_server_request"}
)
"""What the proxy adds to a request for itself, and who asks."""


class SecretsGuardrail(CustomGuardrail):
    """Takes secrets out of prompts before a model sees them, and out of its answers.

    In the proxy's ``config.yaml``::

        guardrails:
          - guardrail_name: secrets
            litellm_params:
              guardrail: detector.hooks.litellm.SecretsGuardrail
              mode: [pre_call, post_call]
              default_on: true
              policy: policy.toml  # optional

    Whatever a request holds is looked at, in any endpoint's format, but for the proxy's own
    fields. Answers of chat and text completions, and Anthropic's messages, may stream: each
    choice, tool call and field is a stream, released as soon as it can be no secret. What the
    policy blocks or sets apart, and streams of other formats (unless ``on_error`` is ``allow``),
    are answered with an error that names the rules. The policy's ``channel`` is the model, its
    ``sender`` the key's alias.

    Raises :class:`~detector.errors.UsageError` for a policy that cannot be used.
    """

    def __init__(
        self, policy: str | None = None, filter: Filter | None = None, **options: Any
    ) -> None:
        options.setdefault("guardrail_name", "secrets")
        options.setdefault("supported_event_hooks", [_BEFORE, _AFTER])
        super().__init__(**options)
        given = Filter(policy=Policy.load(policy)) if policy else None
        self._filter = filter or given or usual_filter()
        self._mask = self._filter.mask

    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: Any, data: dict[str, Any], call_type: Any
    ) -> dict[str, Any]:
        """The request without its secrets, also where the proxy keeps it for its logs."""
        if not self.should_run_guardrail(data=data, event_type=_BEFORE):
            return data
        clean = await self._looked_at(_asked(data), data, user_api_key_dict)
        data.update(clean)
        kept = data.get("proxy_server_request")
        if isinstance(kept, dict) and isinstance(kept.get("body"), dict):
            body = await self._looked_at(_asked(kept["body"]), data, user_api_key_dict)
            data["proxy_server_request"] = {**kept, "body": kept["body"] | body}
        return data

    async def async_post_call_success_hook(
        self, data: dict[str, Any], user_api_key_dict: Any, response: Any
    ) -> Any:
        """The answer without its secrets."""
        if not self.should_run_guardrail(data=data, event_type=_AFTER):
            return response
        said = response.model_dump() if hasattr(response, "model_dump") else response
        clean = await self._looked_at(said, data, user_api_key_dict)
        return response if clean is said else _without_logprobs(put(response, said, clean))

    async def async_post_call_streaming_iterator_hook(
        self, user_api_key_dict: Any, response: Any, request_data: dict[str, Any]
    ) -> AsyncGenerator[Any, None]:
        """The chunks of an answer, the same way."""
        if not self.should_run_guardrail(data=request_data, event_type=_AFTER):
            async for chunk in response:
                yield chunk
            return
        scanner = StreamScanner(self._filter, **_origin(request_data, user_api_key_dict))
        async for chunk in self._redacted(aiter(response), scanner):
            self._raise_if(scanner.withheld)
            yield chunk
        self._raise_if(scanner.withheld)

    async def _redacted(
        self, chunks: AsyncIterator[Any], scanner: StreamScanner
    ) -> AsyncIterator[Any]:
        """The first chunk tells of which kind they are."""
        first = await anext(chunks, None)
        if first is None:
            return
        rest = _joined(first, chunks)
        if isinstance(first, bytes | str):
            redacted: AsyncIterator[Any] = aredact_sse(_encoded(rest), scanner, mask=self._mask)
        elif hasattr(first, "choices"):
            redacted = aredact_chunks(rest, scanner, mask=self._mask)
        else:
            if self._filter.policy.on_error == "quarantine":
                self._raise_if("[withheld: streams of this format cannot be looked at]")
            redacted = rest
        try:
            async for chunk in redacted:
                yield chunk
        except StreamError as error:
            raise self._refused(f"[withheld: {error}]") from None

    async def _looked_at(self, value: Any, data: dict[str, Any], key: Any) -> Any:
        try:
            shown = Shown(value)
            verdict = await self._filter.acheck(shown.plain, **_origin(data, key))
        except (TooMuchError, TypeError, ValueError) as error:
            what = f"{type(error).__name__} while looking at the message"
            raise self._refused(f"[withheld: {what}]") from None
        self._raise_if("" if verdict.content is not None else note(verdict))
        return shown.back(verdict.content)

    def _raise_if(self, withheld: str) -> None:
        if withheld:
            raise self._refused(withheld)

    def _refused(self, withheld: str) -> Exception:
        error: Exception = GuardrailRaisedException(self.guardrail_name, withheld)
        return error


def _asked(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name not in _OWN}


def _origin(data: dict[str, Any], key: Any) -> dict[str, str | None]:
    alias = getattr(key, "key_alias", None)
    return {"channel": data.get("model"), "sender": None if alias is None else str(alias)}


async def _joined(first: Any, rest: AsyncIterator[Any]) -> AsyncIterator[Any]:
    yield first
    async for one in rest:
        yield one


async def _encoded(pieces: AsyncIterator[Any]) -> AsyncIterator[bytes]:
    async for piece in pieces:
        yield piece.encode() if isinstance(piece, str) else piece


def _without_logprobs(response: Any) -> Any:
    """They spell the text out once more, token by token."""
    for choice in getattr(response, "choices", ()):
        if getattr(choice, "logprobs", None) is not None:
            choice.logprobs = None
    return response
