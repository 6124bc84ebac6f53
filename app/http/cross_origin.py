"""Cross-origin requests (https://fetch.spec.whatwg.org/#http-cors-protocol)."""

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response


class CrossOrigin(CORSMiddleware):
    """Starlette's, but that a preflight's answer is 204 without a body, as `OPTIONS` is anyway.

    What is not allowed is missing in its headers, which is all that a browser reads.
    """

    def preflight_response(self, request_headers: Headers) -> Response:
        """Answer a preflight."""
        answer = super().preflight_response(request_headers)
        headers = {n: value for n, value in answer.headers.items() if not n.startswith("content-")}
        return Response(status_code=204, headers=headers)
