"""Entry points of the service on AWS Lambda."""

from typing import Any

from chalice.app import AuthRequest, AuthResponse, Chalice, CloudWatchEvent

from chalicelib import routes

app = Chalice(app_name="elt-pipeline")


@app.authorizer(ttl_seconds=60)
def authorizer(request: AuthRequest) -> AuthResponse:
    """Who may call what, by bearer token."""
    return routes.authorize(request)


routes.register(app, authorizer)


@app.schedule("rate(1 hour)")
def tick(event: CloudWatchEvent) -> None:
    """The schedule fires."""
    routes.tick(event.to_dict())


@app.lambda_function()
def job(event: dict[str, str], context: Any) -> None:
    """Carry out a run, or make a preview, that was asked for."""
    routes.work(event, context.get_remaining_time_in_millis() / 1000)


@app.lambda_function()
def part(event: dict[str, Any], context: Any) -> None:
    """Load one part of a run that was handed to Step Functions."""
    routes.part(event, context.get_remaining_time_in_millis() / 1000)


@app.lambda_function()
def finish(event: dict[str, Any], context: Any) -> None:
    """Publish the parts of such a run, and record how it ended."""
    routes.finish(event, context.get_remaining_time_in_millis() / 1000)


@app.lambda_function()
def doctor(_event: object, _context: object) -> list[dict[str, Any]]:
    """Try what the service needs, and say what cannot be reached."""
    return routes.doctor()
