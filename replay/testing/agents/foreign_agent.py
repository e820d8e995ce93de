"""An agent in another language: the standard library of Python, and OTLP/JSON by hand."""
import json
import os
import sys
import urllib.request

given = json.load(sys.stdin)


def fetch(url, body=None):
    headers = {} if body is None else {"content-type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, headers)) as answer:
        return answer.read().decode()


degrees = json.loads(fetch("http://weather.example/today?city=otterville"))["degrees"]
said = fetch(
    os.environ["OPENAI_BASE_URL"] + "/chat/completions",
    {"model": "m-1", "stream": True, "messages": [{"role": "user", "content": f"it is {degrees} degrees"}]},
)
evidence = {
    "version": 1, "claim": None, "error": None, "artifacts": [], "paths": [], "changedPaths": None, "state": None,
    "verification": None, "answer": "the model said " + said, "toolCallCount": 0, "stepCount": 0, "gaps": [],
}
attributes = {
    "gen_ai.operation.name": "invoke_agent",
    "gen_ai.agent.name": "foreign",
    "runproof.event": "run",
    "runproof.run.id": "0199d1a0-0000-7000-8000-00000000f0f1",
    "runproof.evidence": json.dumps(evidence),
    "seen": json.dumps(given),
}
span = {
    "traceId": "0af7651916cd43dd8448eb211c80319d",
    "spanId": "b7ad6b7169203332",
    "name": "invoke_agent foreign",
    "kind": 1,
    "startTimeUnixNano": "1760000000000000000",
    "endTimeUnixNano": "1760000001000000000",
    "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()],
}
scope = {"scope": {"name": "foreign"}, "spans": [span]}
fetch(
    os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] + "/v1/traces",
    {"resourceSpans": [{"resource": {"attributes": []}, "scopeSpans": [scope]}]},
)
