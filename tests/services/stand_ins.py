"""Stand-ins for Qdrant, Grafana and Sentry: none of them can be installed from Debian's packages or a language's registry. Each answers
what its service's documents say that it answers, in their words and shapes, and holds the credentials as they do; nothing more."""

import http.server
import json
import re
import threading
import urllib.parse


class StandIn:
    """`with Some() as some:` serves `answer` on some.url. A test changes `some`'s fields, and so what it answers."""

    def __init__(self):
        self.asked = []  # method and target of each request

    def answer(self, method, path, query, headers, body):
        """Status and body (a dict or list is JSON), with headers or without."""
        raise NotImplementedError

    def __enter__(self):
        stand_in = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body leave together

            def serve(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                where = urllib.parse.urlsplit(self.path)
                stand_in.asked.append(f"{self.command} {self.path}")
                status, said, *more = stand_in.answer(self.command, urllib.parse.unquote(where.path), urllib.parse.parse_qs(where.query), self.headers, body)
                is_text = isinstance(said, str)
                raw = said.encode() if is_text else json.dumps(said).encode()
                self.send_response(status)
                for name, value in (more[0] if more else {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "text/plain" if is_text else "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            do_GET = do_POST = serve

            def log_message(self, *unused):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Qdrant(StandIn):
    """Qdrant's REST API (its OpenAPI document, and src/actix/api/service_api.rs): collections by name, each with its `info`."""

    key = "qdrant-hunter2"

    def __init__(self):
        super().__init__()
        self.ready = True
        self.has_query = True  # from 1.10; before: /points/search alone
        self.has_readyz = True  # from 1.5
        self.search_error = None
        self.searches = {200: 0, 500: 0}  # users', as /metrics counts them
        self.collections = {"properties": self.collection(384, 1200)}

    @staticmethod
    def collection(size, points, status="green", vectors=None, sparse=None, optimizer="ok"):
        params = {"vectors": vectors if vectors is not None else {"size": size, "distance": "Cosine"}, "shard_number": 1, "replication_factor": 1}
        if sparse:
            params["sparse_vectors"] = sparse
        return {"status": status, "optimizer_status": optimizer, "indexed_vectors_count": points, "points_count": points, "segments_count": 2,
                "config": {"params": params, "hnsw_config": {"m": 16}}, "payload_schema": {}}

    def answer(self, method, path, query, headers, body):
        if path == "/readyz":
            if not self.has_readyz:
                return 404, ""
            return (200, "all shards are ready") if self.ready else (503, "some shards are not ready")
        said = headers.get("api-key") or (headers.get("Authorization") or "").removeprefix("Bearer ")
        if self.key and said != self.key:
            return 401, "Invalid API key or JWT" if said else "Must provide an API key or an Authorization bearer token"
        if path == "/metrics":
            return 200, self.metrics()
        if path == "/collections":
            return 200, {"result": {"collections": [{"name": name} for name in self.collections]}, "status": "ok", "time": 0.00002}
        found = re.fullmatch(r"/collections/([^/]+)(/points/(?:query|search))?", path)
        if not found or (found[2] == "/points/query" and not self.has_query):
            return 404, ""
        info = self.collections.get(found[1])
        if info is None:
            return 404, {"status": {"error": f"Not found: Collection `{found[1]}` doesn't exist!"}, "time": 0.00001}
        if not found[2]:
            return 200, {"result": info, "status": "ok", "time": 0.0001}
        return self.search(info, found[2], json.loads(body))

    def metrics(self):
        """src/common/metrics.rs; what nobody asked for yet is not there. Every search took 40 ms."""
        lines = ["# HELP app_info information about qdrant server", "# TYPE app_info gauge", 'app_info{name="qdrant",version="1.15.0"} 1']
        asked = 'method="POST",endpoint="/collections/{name}/points/search"'
        if any(self.searches.values()):
            lines += ["# HELP rest_responses_total total number of responses", "# TYPE rest_responses_total counter"]
            lines += [f'rest_responses_total{{{asked},status="{status}"}} {count}' for status, count in self.searches.items() if count]
        if well := self.searches[200]:
            of = f'{asked},status="200"'
            lines += ["# HELP rest_responses_duration_seconds response duration histogram", "# TYPE rest_responses_duration_seconds histogram"]
            lines += [f'rest_responses_duration_seconds_bucket{{{of},le="{le}"}} {well if le >= 0.05 else 0}' for le in (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5, 10, 50)]
            lines += [f'rest_responses_duration_seconds_bucket{{{of},le="+Inf"}} {well}', f"rest_responses_duration_seconds_sum{{{of}}} {well * 0.04}",
                      f"rest_responses_duration_seconds_count{{{of}}} {well}"]
        return "\n".join(lines) + "\n"

    def search(self, info, path, question):
        if self.search_error:
            return 500, {"status": {"error": self.search_error}, "time": 0.0001}
        vectors = info["config"]["params"]["vectors"]
        if path == "/points/query":
            vector, name = question["query"], question.get("using")
        elif isinstance(question["vector"], dict):
            vector, name = question["vector"]["vector"], question["vector"]["name"]
        else:
            vector, name = question["vector"], None
        point = {"id": 7, "version": 3, "score": 0.9}
        if isinstance(vector, dict):  # sparse
            well = name in info["config"]["params"].get("sparse_vectors", {})
            return (200, {"result": {"points": [point]}, "status": "ok", "time": 0.001}) if well else (400, self.wrong(f"Not existing vector name error: {name}"))
        of = vectors if name is None else vectors.get(name)
        if of is None or "size" not in of:
            return 400, self.wrong(f"Wrong input: Not existing vector name error: {name or ''}")
        flat = vector[0] if of.get("multivector_config") else vector
        if len(flat) != of["size"]:
            return 400, self.wrong(f"Wrong input: Vector dimension error: expected dim: {of['size']}, got {len(flat)}")
        return 200, {"result": {"points": [point]} if path == "/points/query" else [point], "status": "ok", "time": 0.001}

    @staticmethod
    def wrong(error):
        return {"status": {"error": error}, "time": 0.0}


class Grafana(StandIn):
    """Grafana's HTTP API: /api/health, and with a service account's token its datasources (pkg/api/health.go, the documents' "Data source API")."""

    token = "glsa_hunter2"

    def __init__(self):
        super().__init__()
        self.database = "ok"
        self.may_list = True
        self.types = {}  # a datasource's name → its type, where that is another than Prometheus
        self.backends = {}  # a datasource's name → whether its plugin has a backend, as GET /api/frontend/settings tells it
        self.datasources = {"Prometheus": (200, {"message": "Successfully queried the Prometheus API.", "status": "OK"})}

    def answer(self, method, path, query, headers, body):
        if path == "/api/health":
            return 200 if self.database == "ok" else 503, {"commit": "abc123", "database": self.database, "version": "11.6.0"}
        if headers.get("Authorization") != f"Bearer {self.token}":
            return 401, {"message": "Invalid API key", "messageId": "api-key.invalid", "statusCode": 401, "traceID": ""}
        if not self.may_list:
            return 403, {"accessErrorId": "ACE0", "message": "You'll need additional permissions to perform this action. Permissions needed: datasources:read",
                         "title": "Access denied"}
        if path == "/api/datasources":
            return 200, [{"id": i, "uid": f"uid{i}", "orgId": 1, "name": name, "type": self.types.get(name, "prometheus"), "access": "proxy", "isDefault": i == 0}
                         for i, name in enumerate(self.datasources)]
        if path == "/api/frontend/settings" and self.backends:
            return 200, {"datasources": {name: {"name": name, "meta": {"backend": has}} for name, has in self.backends.items()}}
        found = re.fullmatch(r"/api/datasources/uid/uid(\d+)/health", path)
        if found:
            return list(self.datasources.values())[int(found[1])]
        return 404, {"message": "Not found", "messageId": "not-found", "statusCode": 404}


class Sentry(StandIn):
    """Sentry's web API (docs.sentry.io/api: "Query Discover Events in Table Format", "List an Organization's Issues") and /_health/."""

    token = "sntrys_hunter2"

    def __init__(self):
        super().__init__()
        self.health = (200, "ok")
        self.events = 3
        self.release_events = 1
        self.issues = ["API-1A"]
        self.hits = None
        self.may_read = True

    def answer(self, method, path, query, headers, body):
        if path == "/_health/":
            return self.health
        if headers.get("Authorization") != f"Bearer {self.token}":
            return 401, {"detail": "Invalid token"}
        if not self.may_read:
            return 403, {"detail": "You do not have permission to perform this action."}
        if path == "/api/0/organizations/estate/events/":
            assert query["dataset"] == ["errors"] and query["field"] == ["count()"]
            count = self.release_events if "release:" in query.get("query", [""])[0] else self.events
            return 200, {"data": [{"count()": count}], "meta": {"fields": {"count()": "integer"}, "units": {"count()": None}}}
        if path == "/api/0/organizations/estate/issues/":
            assert query["query"][0].startswith("firstSeen:-")
            issues = [{"id": str(i), "shortId": name, "title": "IntegrityError: Key (email)=(alice@example.com) already exists", "count": "1"}
                      for i, name in enumerate(self.issues)]
            return 200, issues, {} if self.hits is None else {"X-Hits": str(self.hits)}
        return 404, {"detail": "The requested resource does not exist"}
