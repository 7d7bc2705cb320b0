"""A child process that parses long responses of the model server, and long stream events, one after the other."""

from typing import Any

from gateway.relay.api_form import ApiForm
from gateway.relay.event_readers import EVENT_READERS
from gateway.relay.process_frames import run_process
from gateway.relay.response_facts import listed_models, parse_object, response_facts
from store.errors import UpstreamFailed


def handle_message(head: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
    """The reply to one message: the facts or the models in `body`, or the reason of a failure."""
    if head["wanted"] == "event":
        return {"event": EVENT_READERS[ApiForm(head["form"])](body).to_json()}, b""
    try:
        document = parse_object(body)
    except UpstreamFailed as error:
        return {"failure": str(error)}, b""
    if head["wanted"] == "models":
        return {"models": listed_models(document)}, b""
    facts = response_facts(document, has_completion=head["has_completion"], form=ApiForm(head["form"]))
    return {"facts": facts.to_json()}, b""


if __name__ == "__main__":
    run_process(handle_message)
