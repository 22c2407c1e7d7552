"""Which functions of the gateway a function may come to call, and which refusals may come back, read from the source.

The reading errs towards too much: a method that is called on a value of unknown type stands for every method of that
name that takes such arguments. What is caught on the way is taken off again.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from kit import errors

ROOT = Path(__file__).resolve().parents[2]
LAYERS = ("kit", "models", "mails", "resolvers", "schema")
REFUSALS = frozenset(
    name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, errors.Refusal)
) - {"Refusal"}
EVERYTHING = frozenset({"Refusal", "Exception", "BaseException"})


@dataclass(frozen=True)
class Call:
    """A call as it is written: `name()`, `owner.name()`, or `something.else.name()` with an unknown owner.

    A function that is only named may be called by another name, so it counts as a call too, with no node.
    """

    owner: str | None
    name: str
    node: ast.Call | None
    caught: frozenset[str]

    def fits(self, function: "Function") -> bool:
        """Whether the function has parameters of the names that are given, and as many as are given without one."""
        if self.node is None:
            return True
        wanted = function.node.args
        named = {one.arg for one in (*wanted.args, *wanted.kwonlyargs)}
        given = {one.arg for one in self.node.keywords if one.arg}
        return (wanted.kwarg is not None or given <= named) and (
            wanted.vararg is not None or len(self.node.args) <= len(wanted.args)
        )


@dataclass
class Function:
    """A function or method, with what its own lines say."""

    module: str
    owner: str | None
    node: ast.FunctionDef | ast.AsyncFunctionDef
    calls: list[Call] = field(default_factory=list)
    refusals: set[str] = field(default_factory=set)

    @property
    def is_mutation(self) -> bool:
        return any("mutation" in ast.unparse(decorator) for decorator in self.node.decorator_list)


class _Reader(ast.NodeVisitor):
    """Collects the calls and the refusals in one function's body."""

    def __init__(self, function: Function) -> None:
        self._function = function
        self._caught: frozenset[str] = frozenset()

    def visit_Try(self, node: ast.Try) -> None:
        caught = frozenset(name for handler in node.handlers for name in _kept(handler))
        self._within(caught, node.body)
        for statement in [*node.orelse, *node.finalbody]:
            self.visit(statement)
        for handler in node.handlers:
            for statement in handler.body:
                self.visit(statement)

    def _within(self, caught: frozenset[str], body: list[ast.stmt]) -> None:
        before, self._caught = self._caught, self._caught | caught
        for statement in body:
            self.visit(statement)
        self._caught = before

    def visit_Call(self, node: ast.Call) -> None:
        match node.func:
            case ast.Attribute(attr=name, value=ast.Name(id=owner)):
                self._function.calls.append(Call(owner, name, node, self._caught))
            case ast.Attribute(value=ast.Constant() | ast.JoinedStr()):
                pass  # A method of a text.
            case ast.Attribute(attr=name):
                self._function.calls.append(Call("?", name, node, self._caught))
            case _:
                pass
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if node.id in REFUSALS and not _catches(self._caught, node.id):
            self._function.refusals.add(node.id)
        self._function.calls.append(Call(None, node.id, None, self._caught))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if node.attr in REFUSALS and isinstance(node.value, ast.Name) and node.value.id == "errors":
            self._function.refusals.add(node.attr)
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value:
            self.visit(node.value)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._inner(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._inner(node)

    def _inner(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for statement in node.body:
            self.visit(statement)


def _kept(handler: ast.ExceptHandler) -> Iterator[str]:
    """What a handler catches and does not raise again."""
    raises_again = any(isinstance(node, ast.Raise) and node.exc is None for node in ast.walk(handler))
    if handler.type is not None and not raises_again:
        yield from (node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name))


def _catches(caught: frozenset[str], refusal: str) -> bool:
    return refusal in caught or bool(caught & EVERYTHING)


class CallGraph:
    """All functions of the layers."""

    def __init__(self) -> None:
        self._trees = {module: ast.parse(path.read_text()) for module, path in _modules()}
        self._functions = [function for module, tree in self._trees.items() for function in _functions(module, tree)]
        self._imports = {module: dict(_imports(tree)) for module, tree in self._trees.items()}
        for function in self._functions:
            reader = _Reader(function)
            for statement in function.node.body:
                reader.visit(statement)

    def mutations(self) -> list[Function]:
        """The resolvers of mutations."""
        return [
            function for function in self._functions if function.module.startswith("schema") and function.is_mutation
        ]

    def reached(self, start: Function) -> list[Function]:
        """The function and all that it may come to call."""
        found, waiting = {id(start): start}, [start]
        while waiting:
            for callee in self._callees(waiting.pop()):
                if id(callee[1]) not in found:
                    found[id(callee[1])] = callee[1]
                    waiting.append(callee[1])
        return list(found.values())

    def refusals(self, start: Function) -> set[str]:
        """The refusals that may come out of the function."""
        reached = self.reached(start)
        known = {id(function): set(function.refusals) for function in reached}
        changed = True
        while changed:
            changed = False
            for function in reached:
                for call, callee in self._callees(function):
                    new = {name for name in known[id(callee)] if not _catches(call.caught, name)} - known[id(function)]
                    known[id(function)] |= new
                    changed = changed or bool(new)
        return known[id(start)]

    def _callees(self, function: Function) -> list[tuple[Call, Function]]:
        return [
            (call, callee) for call in function.calls for callee in self._resolve(function, call) if call.fits(callee)
        ]

    def _resolve(self, function: Function, call: Call) -> Iterable[Function]:
        imports = self._imports[function.module]
        if call.owner is None:
            origin = imports.get(call.name, f"{function.module}.{call.name}")
            return [one for one in self._functions if one.owner is None and _is(one, origin)]
        if call.owner in {"self", "cls"}:
            return [one for one in self._methods(call.name) if one.owner == function.owner] or self._methods(call.name)
        module = imports.get(call.owner, "")
        if module in self._trees:
            return [one for one in self._functions if one.owner is None and _is(one, f"{module}.{call.name}")]
        if call.owner[0].isupper():
            return [one for one in self._methods(call.name) if one.owner == call.owner]
        return self._methods(call.name)

    def _methods(self, name: str) -> list[Function]:
        return [one for one in self._functions if one.owner and one.node.name == name]


def _is(function: Function, origin: str) -> bool:
    module, _, name = origin.rpartition(".")
    # A name that a package re-exports may be defined in any module of it.
    return function.node.name == name and (function.module == module or function.module.startswith(f"{module}."))


def _modules() -> Iterator[tuple[str, Path]]:
    for layer in LAYERS:
        for path in sorted((ROOT / layer).rglob("*.py")):
            if "migrations" not in path.parts:
                parts = path.relative_to(ROOT).with_suffix("").parts
                yield ".".join(part for part in parts if part != "__init__"), path


def _functions(module: str, tree: ast.Module) -> Iterator[Function]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield Function(module, None, node)
        elif isinstance(node, ast.ClassDef):
            methods = (one for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef))
            yield from (Function(module, node.name, method) for method in methods)


def _imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from ((alias.asname or alias.name, f"{node.module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.asname or alias.name, alias.name) for alias in node.names)


@cache
def call_graph() -> CallGraph:
    """Read once a run."""
    return CallGraph()
