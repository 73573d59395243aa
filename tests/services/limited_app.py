"""An API that slowapi limits, as its own guide has it. Environment: RATE, the limit of /api/v1/properties ("5/second")."""

import os

from fastapi import FastAPI, Request, Response
from slowapi import Limiter, _rate_limit_exceeded_handler
from slowapi.errors import RateLimitExceeded
from slowapi.util import get_remote_address

app = FastAPI()
app.state.limiter = limiter = Limiter(key_func=get_remote_address, headers_enabled=True)
app.add_exception_handler(RateLimitExceeded, _rate_limit_exceeded_handler)


@app.get("/health")
async def health():
    return {"status": "healthy"}


@app.get("/api/v1/properties")
@limiter.limit(os.environ["RATE"])
async def properties(request: Request, response: Response):
    return {"properties": []}
