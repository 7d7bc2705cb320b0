"""The forms of the APIs that the relay speaks."""

from enum import StrEnum


class ApiForm(StrEnum):
    """The form of an endpoint's streams, usage reports and errors."""

    CHAT = "chat"
    """OpenAI's older endpoints: `stream_options`, `data: [DONE]`, `prompt_tokens`."""
    RESPONSES = "responses"
    """OpenAI's Responses API: typed events, the last of which has the usage."""
    MESSAGES = "messages"
    """Anthropic's Messages API: typed events, the usage in the first and in one of the last."""

    TRANSCRIPT = "transcript"
    """OpenAI's transcriptions: the usage may be a duration."""

    def id_headers(self, request_id: str) -> dict[str, str]:
        """The headers in which the SDK of this form looks for the id of a request."""
        own = {"request-id": request_id} if self is ApiForm.MESSAGES else {}
        return {"X-Request-Id": request_id, **own}
