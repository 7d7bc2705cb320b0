"""The models a key may call: those with a price, and all others if the account accepts models without one; of these
only the models that the key allows."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateway.model_server.client import read_body, response_problem
from gateway.problems import REQUEST_ID_KEY, OpenAiProblem
from gateway.relay.ledger import Caller
from gateway.relay.process_client import ParserFailed
from gateway.relay.relay import Relay
from gateway.site_view import SiteView
from store.api_key_use import KeyHolder
from store.key_limits import is_allowed_model

_OWNER = "gatekey"
_MAX_LIST_BYTES = 8 * 1024 * 1024
"""The longest public list has some 700 KiB."""
_LIST_UNREAD = "The gateway could not read the model server's list of models at the moment. Try again."
_NO_LIST_STATUSES = (404, 405, 501)
"""Statuses of model servers that do not list their models. Only the models with a price are listed then."""


class Models:
    """`GET /v1/models` and `GET /v1/models/{model}`."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    async def list_all(self, request: Request) -> Response:
        """All models, by name."""
        models = await self._models(request)
        return self._answer(request, {"object": "list", "data": [models[name] for name in sorted(models)]})

    async def read_one(self, request: Request) -> Response:
        """One model. Raises `OpenAiProblem` 404 if the key may not call it."""
        models, name = await self._models(request), request.path_params["model"]
        if name not in models:
            raise OpenAiProblem(404, "There is no model of that name.", param="model", code="model_not_found")
        return self._answer(request, models[name])

    async def _models(self, request: Request) -> dict[str, dict[str, Any]]:
        relay = self._relay
        caller, site = await relay.callers.accept_bodiless(request)
        priced, accepts_unpriced = await relay.services.threads.read(lambda: self._known(caller.holder))
        models = {name: _model_entry(name) for name in priced}
        if accepts_unpriced and site.upstream_url:
            listed = await self._listed(site, caller)
            models.update({name: _model_entry(name, entry) for name, entry in listed.items()})
        allowed = caller.holder.allowed_models
        return {name: model for name, model in models.items() if is_allowed_model(name, allowed)}

    def _known(self, holder: KeyHolder) -> tuple[list[str], bool]:
        store = self._relay.services.store
        with store.database.read() as tx:
            accepts = store.pricing.accepts_unpriced(tx, holder.account_id)
        return [price.model for price in store.pricing.all()], accepts

    async def _listed(self, site: SiteView, caller: Caller) -> Mapping[str, Mapping[str, Any]]:
        answer = await self._relay.model_server.send(site, "GET", "/models", request_id=caller.request_id)
        try:
            if answer.status_code in _NO_LIST_STATUSES:
                return {}
            if not answer.is_success:
                raise await response_problem(answer, site, client_statuses=(429,))
            content = await read_body(answer, _MAX_LIST_BYTES)
        finally:
            await answer.aclose()
        try:
            models = await self._relay.responses.models(content, caller.holder.account_id)
        except ParserFailed as error:
            raise OpenAiProblem(503, _LIST_UNREAD, headers={"Retry-After": "1"}) from error
        return {model["id"]: model for model in models}

    def _answer(self, request: Request, document: Mapping[str, Any]) -> Response:
        return JSONResponse(document, headers={"X-Request-Id": request.scope[REQUEST_ID_KEY]})


def _model_entry(name: str, listed: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": _OWNER, **(listed or {})}
