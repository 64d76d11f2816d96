"""Entry points of the service on AWS Lambda."""

from chalice.app import Chalice

from chalicelib import __version__

app = Chalice(app_name="elt-pipeline")


@app.route("/health")
def health() -> dict[str, str]:
    """Liveness and version."""
    return {"status": "ok", "version": __version__}
