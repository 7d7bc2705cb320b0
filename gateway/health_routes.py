"""`/healthz` and `/readyz`, for monitors and load balancers."""

from fastapi import FastAPI
from starlette.responses import Response

from gateway.account_api import as_json
from gateway.account_schemas import Health
from gateway.health import HealthCheck
from gateway.openapi_responses import problem_responses
from gateway.services import Services


def add_health_routes(app: FastAPI, services: Services) -> None:
    """Add both routes to `app`. They share the cached result of one probe write."""
    checks = HealthCheck(services)

    async def read_health() -> Response:
        """The state of the gateway: up, and able to read and write its data. If not, `reason` says why in a word."""
        await checks.check()
        return as_json({"status": "ok"})

    async def read_readiness() -> Response:
        """The readiness for requests: the gateway is healthy, and the database has the schema of its version."""
        await checks.check_ready()
        return as_json({"status": "ok"})

    for path, read, summary in (("/healthz", read_health, "Health"), ("/readyz", read_readiness, "Readiness")):
        app.add_api_route(
            path,
            read,
            methods=["GET"],
            response_model=Health,
            responses=problem_responses(405, 500, 503),
            summary=summary,
            tags=["health"],
        )
