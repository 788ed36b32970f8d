"""The guardrail in the real proxy, asked by the real client, in front of a made-up model.

The proxy needs 60 packages and half a minute to start. So this runs where it is installed:
``pip install 'litellm[proxy]'``, then ``pytest tests/hooks/test_litellm.py``.
"""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from planted import GITHUB, LABEL, remains, token
from upstream import Upstream

missing = [name for name in ("litellm", "fastapi", "orjson", "mcp") if find_spec(name) is None]
pytestmark = pytest.mark.skipif(
    bool(missing), reason=f"the proxy of LiteLLM is not installed: no {', '.join(missing)}"
)

EXAMPLES = Path(__file__).parents[2] / "examples"
SECRET = token()
MASTER = f"sk-{random.Random(7).randbytes(32).hex()}"  # the proxy refuses well-known ones
TOOLS: Any = [{"type": "function", "function": {"name": "note", "parameters": {}}}]


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    server = Upstream()
    yield server
    server.close()


def proxy(upstream: Upstream, config: Path, where: Path) -> Iterator[openai.OpenAI]:
    """A client of the proxy; the proxy's log is kept."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    key = token("openai-project-key", 7)
    own = {"UPSTREAM_URL": upstream.url, "UPSTREAM_KEY": key, "LITELLM_MASTER_KEY": MASTER}
    env = os.environ | own | {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    env["PYTHONPATH"] = str(EXAMPLES.parent)
    command = [sys.executable, "-c", "from litellm import run_server; run_server()"]
    options = ["--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    with (where / "log").open("wb") as log:
        process = subprocess.Popen([*command, *options], env=env, stdout=log, stderr=log, cwd=where)
    try:
        wait_for(f"http://127.0.0.1:{port}/health/liveliness", process, where / "log")
        with openai.OpenAI(
            base_url=f"http://127.0.0.1:{port}/v1", api_key=MASTER, max_retries=0
        ) as client:
            yield client
    finally:
        process.terminate()
        process.wait(30)


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(240):
        if process.poll() is not None:
            pytest.fail(f"the proxy ended: {log.read_text()[-2000:]}")
        try:
            if httpx.get(url, timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.5)
    pytest.fail(f"the proxy does not start: {log.read_text()[-2000:]}")


@pytest.fixture(scope="module")
def where(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("proxy")


@pytest.fixture(scope="module")
def client(upstream: Upstream, where: Path) -> Iterator[openai.OpenAI]:
    yield from proxy(upstream, EXAMPLES / "litellm_guardrail" / "config.yaml", where)


def ask(client: openai.OpenAI, text: Any, **how: Any) -> Any:
    messages: Any = [{"role": "user", "content": text}]
    return client.chat.completions.create(model="assistant", messages=messages, **how)


def test_prompts_reach_the_model_without_secrets(client: openai.OpenAI, upstream: Upstream) -> None:
    upstream.answer = "hello"
    parts = [
        {"type": "text", "text": f"it is {SECRET[:20]}"},
        {"type": "text", "text": SECRET[20:]},
    ]
    for text in (f"my key is {SECRET}", parts):
        for stream in (False, True):
            upstream.asked.clear()
            list(ask(client, text, stream=stream))
            assert remains(SECRET, upstream.asked[0]) == []
            assert b"redacted:" in upstream.asked[0]


def test_answers_reach_the_client_without_secrets(
    client: openai.OpenAI, upstream: Upstream
) -> None:
    upstream.answer = f'é "{SECRET}"\n and {"more " * 5}'
    clean = upstream.answer.replace(SECRET, LABEL)
    message = ask(client, "hello", tools=TOOLS).choices[0].message
    assert message.content == clean
    assert json.loads(message.tool_calls[0].function.arguments) == {"text": clean}
    for upstream.size in (1, 3, 50):
        content, arguments, reasons = streamed(ask(client, "hello", tools=TOOLS, stream=True))
        assert content == clean
        assert json.loads(arguments) == {"text": clean}
        assert reasons == ["tool_calls"]  # so LiteLLM has it where there are any


def streamed(chunks: Any) -> tuple[str, str, list[str]]:
    content, arguments, reasons = "", "", []
    for chunk in chunks:
        for choice in chunk.choices:
            content += choice.delta.content or ""
            reasons += [choice.finish_reason] if choice.finish_reason else []
            for call in choice.delta.tool_calls or ():
                arguments += call.function.arguments or ""
    return content, arguments, reasons


def test_a_clean_talk_is_as_it_was(client: openai.OpenAI, upstream: Upstream) -> None:
    upstream.answer, upstream.size = "Grüße,\n  all is well. ", 4
    assert ask(client, "hello").choices[0].message.content == upstream.answer
    chunks = list(ask(client, "hello", stream=True))
    texts = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
    assert "".join(text or "" for text in texts) == upstream.answer
    assert len(texts) >= len(upstream.answer) // 4


def test_the_proxy_has_not_logged_it(client: openai.OpenAI, where: Path) -> None:
    ask(client, f"my key is {SECRET}")
    assert remains(SECRET, (where / "log").read_bytes()) == []


def test_what_a_policy_blocks_is_an_error_that_names_the_rule(
    upstream: Upstream, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(f'[[rules]]\naction = "block"\nrule = "{GITHUB}"\n')
    config = (EXAMPLES / "litellm_guardrail" / "config.yaml").read_text()
    made = tmp_path / "config.yaml"
    made.write_text(config.replace("# policy: policy.toml", f"policy: {policy}"))
    for client in proxy(upstream, made, tmp_path):
        upstream.asked.clear()
        with pytest.raises(openai.BadRequestError, match=GITHUB) as raised:
            ask(client, f"my key is {SECRET}")
        assert remains(SECRET, str(raised.value)) == []
        assert upstream.asked == []
        upstream.answer, upstream.size = f"my key is {SECRET}", 4
        with pytest.raises(openai.APIError, match=GITHUB) as failed:
            ask(client, "hello")
        assert remains(SECRET, str(failed.value)) == []
        got = ""
        with pytest.raises(openai.APIError, match=GITHUB):
            for chunk in ask(client, "hello", stream=True):
                got += chunk.choices[0].delta.content or ""
        assert remains(SECRET, got) == []
