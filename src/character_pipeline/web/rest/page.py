"""/docs: the OpenAPI document as a plain page, which needs nothing from elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

STYLE = """:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;
padding:0 1rem}code,pre{font:14px/1.45 ui-monospace,monospace}pre{overflow:auto;padding:.8rem;border:1px solid #8886;
border-radius:.4rem}details{border:1px solid #8886;border-radius:.4rem;padding:.5rem .9rem;margin:.5rem 0}
summary{cursor:pointer}.method{display:inline-block;min-width:4.5rem;font-weight:700}table{border-collapse:collapse}
td,th{text-align:left;vertical-align:top;padding:.15rem 1rem .15rem 0}"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def render(document: Mapping[str, Any]) -> str:
    """The page for a document."""
    about = document["info"]
    body = "\n".join([*_operations(document), "<h2>Schemas</h2>", *_schemas(document)])
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(about["title"])}</title>
<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>
<h1>{escape(about["title"])} {escape(about["version"])}</h1>{_paragraphs(about["description"])}
<p>The same for programs: <a href="openapi.json">openapi.json</a></p>
{body}</body></html>"""


def _paragraphs(text: str) -> str:
    marked = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
    return "".join(f"<p>{part}</p>" for part in marked.split("\n\n"))


def _operations(document: Mapping[str, Any]) -> Iterator[str]:
    tag = None
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if (of := operation.get("tags", [""])[0]) != tag:
                tag = of
                yield f"<h2>{escape(of)}</h2>"
            yield _operation(path, method, operation)


def _operation(path: str, method: str, operation: Mapping[str, Any]) -> str:
    head = f'<span class="method">{escape(method.upper())}</span> <code>{escape(path)}</code>'
    parts = [_paragraphs(operation.get("description", "")), _parameters(operation), _body(operation)]
    return (
        f"<details><summary>{head} {escape(operation.get('summary', ''))}</summary>"
        f"{''.join(parts)}{_answers(operation)}</details>"
    )


def _parameters(operation: Mapping[str, Any]) -> str:
    found = operation.get("parameters", [])
    rows = [[one["name"], one["in"], json.dumps(one["schema"]), one.get("description", "")] for one in found]
    return _table(["parameter", "in", "schema", ""], rows)


def _body(operation: Mapping[str, Any]) -> str:
    content = operation.get("requestBody", {}).get("content", {})
    return _table(["body", "schema"], [[kind, json.dumps(about["schema"])] for kind, about in content.items()])


def _answers(operation: Mapping[str, Any]) -> str:
    rows = [
        [code, ", ".join(one.get("content", {})), one["description"]] for code, one in operation["responses"].items()
    ]
    return _table(["answer", "as", ""], sorted(rows))


def _table(names: list[str], rows: list[list[str]]) -> str:
    if not rows:
        return ""
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    lines = ["".join(f"<td><code>{escape(cell)}</code></td>" for cell in row[:-1]) + f"<td>{escape(row[-1])}</td>"
             for row in rows]  # fmt: skip
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def _schemas(document: Mapping[str, Any]) -> Iterator[str]:
    for name, schema in sorted(document["components"]["schemas"].items()):
        text = escape(json.dumps(schema, indent=2, ensure_ascii=False))
        yield f"<details><summary><code>{escape(name)}</code></summary><pre>{text}</pre></details>"
