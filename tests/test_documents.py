"""What the documents state, held against the code."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec

from graphid.auth.providers import Provider, read_provider
from graphid.identity.identifiers import PLACEHOLDERS
from graphid.identity.policy import Policy, parse_policy

ROOT = Path(__file__).parents[1]
POLICY = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")


PROVIDERS = (ROOT / "docs" / "providers.md").read_text(encoding="utf-8")


def block(text: str, language: str) -> str:
    """The first fenced block of a language."""
    found = re.search(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[1]


def test_the_policy_that_is_documented_is_the_default() -> None:
    documented = json.loads(block(POLICY, "json"))
    assert parse_policy(documented) == Policy()
    assert json.loads(msgspec.json.encode(Policy())) == documented


def test_the_placeholders_are_published() -> None:
    listed = re.split(r"\s{2,}|\n", block(POLICY.partition("## Placeholders")[2], "").strip())
    assert set(listed) == PLACEHOLDERS - {""}


def test_every_field_of_a_provider_is_documented() -> None:
    table = PROVIDERS.partition("| field |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)`", table, re.MULTILINE) == list(Provider.model_fields)
    (example,) = json.loads(block(PROVIDERS, "json"))
    assert read_provider(example).subject_type == "oidc.login.example.com"


def test_every_link_leads_somewhere() -> None:
    for document in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), f"{document.name} names {target}"
