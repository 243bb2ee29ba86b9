"""The order of the package: imports point one way, without a circle, and each file has one name."""

import ast
from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "captioner"

# A module imports from its own line and from those above it.
LAYERS = (
    {"arrays", "errors", "file_lock", "replacing"},
    {"fingerprint", "media", "metadata", "results", "rich_display", "text"},
    {"engines", "models", "presets", "search"},
    {"captioning", "labelling", "captioner"},
    {"datasets", "evaluation", "exports", "library", "reports", "training"},
    {"cluster", "web"},
    {"cli"},
)
# Within the fifth line: who may import whom.
BESIDE = {
    "datasets": {"library"},
    "evaluation": {"datasets", "reports"},
    "library": {"reports"},
    "training": {"datasets", "evaluation", "exports"},
}


def imports(path, within_functions):
    """Yield the modules of the package that a file imports, but for those of annotations."""
    nodes = [ast.parse(path.read_text(encoding="utf-8"))]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        if isinstance(node, ast.FunctionDef) and not within_functions:
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("captioner"):
            for name in node.names:
                inner = PACKAGE.parent.joinpath(*node.module.split("."), f"{name.name}.py")
                yield f"{node.module}.{name.name}" if inner.exists() else node.module
        nodes.extend(ast.iter_child_nodes(node))


def modules():
    """Yield the dotted name and the path of each module."""
    for path in sorted(PACKAGE.rglob("*.py")):
        dotted = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        yield dotted.removesuffix(".__init__"), path


def test_no_circle():
    graph = {name: set(imports(path, within_functions=False)) for name, path in modules()}
    assert len(list(TopologicalSorter(graph).static_order())) >= len(graph)  # or a CycleError


def test_imports_point_one_way():
    layer = {part: number for number, parts in enumerate(LAYERS) for part in parts}
    wrong = []
    for name, path in modules():
        own = name.split(".")[1:2]
        if not own or own == ["__main__"]:
            continue
        for imported in imports(path, within_functions=True):
            part = imported.split(".")[1:2]
            if not part or part == own:
                continue
            beside = layer[own[0]] < 4 or part[0] in BESIDE.get(own[0], ())
            allowed = layer[part[0]] <= layer[own[0]] - (not beside)
            if not allowed:
                wrong.append(f"{name} imports {imported}")
    assert wrong == []


def test_no_base_name_twice():
    names = Counter(path.stem for _, path in modules() if path.stem != "__init__")
    assert [name for name, count in names.items() if count > 1] == []
