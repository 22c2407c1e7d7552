"""Fragments count as if they stood written out where they are spread: checked by writing them out."""

import re

from graphql import parse
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transport.service import CREDENTIAL_FIELDS, Witness, make_schema
from transport.bounds import Bounds
from transport.cost import CostRule, Measure
from transport.survey import survey
from transport.weights import evaluate

FRAGMENTS = 5
RULE = CostRule(make_schema(Witness()), CREDENTIAL_FIELDS)
BOUNDS = Bounds()


def selections(after: int) -> st.SearchStrategy[str]:
    """Selections on an account; fragments are spread only with a number past `after`, so never in a circle."""
    spreads = [st.just(f"...a{number}") for number in range(after + 1, FRAGMENTS)]
    leaves = st.sampled_from(["id", "mine: id", "__typename", "logIn"])
    return st.recursive(
        st.one_of(leaves, *spreads),
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=3).map(" ".join),
            inner.map(lambda selected: f"friend {{ {selected} }}"),
            inner.map(lambda selected: f"... on Account {{ {selected} }}"),
            st.tuples(st.sampled_from(["", "(first: 3)", "(first: $n)"]), inner).map(
                lambda pair: f"keys{pair[0]} {{ nodes {{ owner {{ {pair[1]} }} }} }}"
            ),
        ),
        max_leaves=6,
    )


DOCUMENTS = st.tuples(*(selections(after) for after in range(-1, FRAGMENTS)))


@settings(deadline=None)
@given(DOCUMENTS, st.integers(1, 100))
def test_fragments_count_as_if_written_out(definitions: tuple[str, ...], page: int) -> None:
    root, *fragments = definitions
    spread = " ".join(f"fragment a{number} on Account {{ {selected} }}" for number, selected in enumerate(fragments))

    shared = measured(f"query($n: Int) {{ viewer {{ {root} }} }} {spread}")
    plain = measured(f"query($n: Int) {{ viewer {{ {written_out(root, fragments)} }} }}")

    assert (shared.depth, shared.aliases, shared.fields) == (plain.depth, plain.aliases, plain.fields)
    assert (shared.credentials, shared.selections) == (plain.credentials, plain.selections)
    assert evaluate(shared.weight, {"n": page}) == evaluate(plain.weight, {"n": page})
    assert evaluate(shared.weight, {"n": page}) <= evaluate(shared.weight, None)


def measured(text: str) -> Measure:
    found = survey(parse(text), BOUNDS)
    return RULE.measure_operation(found.operations[0], RULE.measure_fragments(found.fragments))


def written_out(selected: str, fragments: list[str]) -> str:
    def inline(match: re.Match[str]) -> str:
        return f"... on Account {{ {written_out(fragments[int(match[1])], fragments)} }}"

    return re.sub(r"\.\.\.a(\d)", inline, selected)
