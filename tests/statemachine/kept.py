"""What moto computes again in every test, and what depends on its own files and on text alone.

It parses a definition for the state machine and for each execution, and factors the same key for
each user pool.
"""

import functools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from joserfc.jwk import RSAKey
from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor

_parse = AmazonStateLanguageParser.parse
_import = RSAKey.import_key


@contextmanager
def computed_once() -> Iterator[None]:
    """Keep syntax trees and keys for the length of a with statement."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AmazonStateLanguageParser, "parse", staticmethod(_program_of))
        patch.setattr(RSAKey, "import_key", staticmethod(_key_of))
        yield


def _program_of(definition: str) -> tuple[EvalComponent, Any]:
    """Return a new program, made from the kept syntax tree, which no execution changes."""
    tree = _syntax_tree(definition)
    return Preprocessor().visit(tree), tree


@functools.cache
def _syntax_tree(definition: str) -> Any:
    return _parse(definition)[1]


def _key_of(document: dict[str, str]) -> RSAKey:
    return _key(json.dumps(document))


@functools.cache
def _key(document: str) -> RSAKey:
    return _import(json.loads(document))
