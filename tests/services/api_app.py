"""An API as FastAPI's own guides have it: OAuth 2's password form, JSON logins, basic and bearer, a health check.

Environment: LOGIN_REFUSAL, the status of a refused login (401, or the guide's 400).
"""

import os
import secrets

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.security import HTTPBasic, HTTPBasicCredentials, HTTPBearer, OAuth2PasswordBearer, OAuth2PasswordRequestForm
from pydantic import BaseModel

USER, PASSWORD = "test@example.com", "hunter2-test123"

app = FastAPI()
tokens = set()


def log_in(user, password):
    if (user, password) != (USER, PASSWORD):
        raise HTTPException(int(os.environ.get("LOGIN_REFUSAL", "401")), f"Incorrect username or password: {password}")
    tokens.add(token := secrets.token_urlsafe(32))
    return {"access_token": token, "token_type": "bearer"}


@app.post("/api/v1/auth/token")
async def token_by_form(form: OAuth2PasswordRequestForm = Depends()):
    return log_in(form.username, form.password)


class Login(BaseModel):
    username: str
    password: str


@app.post("/api/v1/auth/json")
async def token_by_json(login: Login):
    return log_in(login.username, login.password)


@app.get("/api/v1/users/me")
async def me(token: str = Depends(OAuth2PasswordBearer(tokenUrl="/api/v1/auth/token"))):
    if token not in tokens:
        raise HTTPException(401, f"no such token: {token}", headers={"WWW-Authenticate": "Bearer"})
    return {"email": USER, "id": "a/b c", "roles": ["reader"]}


@app.get("/api/v1/users/{who:path}")
async def user(who: str):
    return {"who": who}


@app.post("/api/v1/echo")
async def echo(request: Request):
    return await request.json()


@app.get("/repeats")
async def repeats(request: Request):
    """What came, where a message might show it."""
    return {"status": request.headers.get("authorization", "nothing")}


@app.get("/basic")
async def basic(login: HTTPBasicCredentials = Depends(HTTPBasic())):
    if login.password != PASSWORD:
        raise HTTPException(401)
    if login.username != USER:
        raise HTTPException(403)
    return {"user": login.username}


@app.get("/bearer")
async def bearer(sent=Depends(HTTPBearer())):
    if sent.credentials != PASSWORD:
        raise HTTPException(401)
    return {}


@app.get("/api/v1/health")
async def detailed_health():
    return {"status": "healthy", "checks": {"database": "ok"}}


@app.get("/health")
async def health(response: Response):
    response.headers["X-Release"] = "v1.2"
    return {"status": "healthy", "checks": {"database": "ok", "lag": 3.5}, "queue": [], "version": "v1.2"}
