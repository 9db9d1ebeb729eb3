"""The house itself: commands, settings, pinned packages, and a test run that does not hide what it left out."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from config import Settings

HOME = Path(__file__).resolve().parent.parent
SETTINGS = {str(field.validation_alias) for field in Settings.model_fields.values()}


def _run(*command: str, cwd: Path = HOME, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "RECOUP_", "MAKE"))}
    return subprocess.run(
        command, cwd=cwd, env=clean | environment, capture_output=True, text=True, timeout=60, check=False
    )


def _shipped(suffix: str) -> list[Path]:
    top = [path for path in HOME.iterdir() if not path.name.startswith(".") and path.name != "var"]
    return [page for path in top for page in ([path] if path.is_file() else path.rglob("*")) if page.suffix == suffix]


def test_bare_make_lists_every_target_with_what_it_does() -> None:
    listed = _run("make").stdout.splitlines()
    told = {line.split()[1] for line in listed if len(line.split()) > 2}
    targets = set(re.findall(r"^\.PHONY: (\S+)$", (HOME / "Makefile").read_text(), re.MULTILINE))
    assert {"demo", "test", "lint", "golden", "bench", "lock"} <= targets
    assert told == targets


@pytest.mark.parametrize("place", [".env.example", "docs/production.md"])
def test_every_setting_is_explained_and_no_other(place: str) -> None:
    pattern = r"^#? ?([A-Z][A-Z_]+)=" if place == ".env.example" else r"^\| `([A-Z_]+)`"
    assert set(re.findall(pattern, (HOME / place).read_text(), re.MULTILINE)) == SETTINGS


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_pinned_packages_are_those_asked_for(name: str) -> None:
    asked = _asked_for(HOME / f"{name}.in")
    pinned = (HOME / f"{name}.txt").read_text()
    because = rf"(?:# via|#  +)\s*-r {name}\.in$"
    blocks = re.split(r"^(?=[a-z])", pinned, flags=re.MULTILINE)[1:]
    direct = {_package(block) for block in blocks if re.search(because, block, re.MULTILINE)}
    assert direct == asked, "run `make lock`"
    for block in blocks:
        assert re.match(r"[a-z0-9-]+(\[[a-z,]+\])?==\S+ ", block), block
        assert "--hash=sha256:" in block


def _asked_for(path: Path) -> set[str]:
    lines = (line.split("#")[0].strip() for line in path.read_text().splitlines())
    return {_package(line) for line in lines if line and not line.startswith("-r")}


def _package(requirement: str) -> str:
    return re.match(r"[A-Za-z0-9._-]+", requirement)[0].lower().replace("_", "-")  # type: ignore[index]


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_no_package_is_taken_from_a_named_address(name: str) -> None:
    text = (HOME / name).read_text()
    assert "://" not in text
    assert not re.search(r"^-", text, re.MULTILINE)


def test_pages_take_nothing_from_another_host() -> None:
    foreign = re.compile(
        r"""(?:src|href|action)\s*=\s*["'](?:https?:)?//|@import|url\(\s*["']?(?:https?:)?//""", re.IGNORECASE
    )
    pages = _shipped(".html") + _shipped(".css") + _shipped(".js")
    assert pages
    assert [
        f"{page.relative_to(HOME)}: {found[0]}" for page in pages for found in foreign.finditer(page.read_text())
    ] == []


def test_files_beside_the_packages_import_downwards_only() -> None:
    contracts = tomllib.loads((HOME / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    depth = {name: level for level, layer in enumerate(contracts[0]["layers"]) for name in re.findall(r"\w+", layer)}
    files = [file for file in HOME.glob("*.py") if file.name != "conftest.py"]
    upwards = [
        f"{file.name} imports {name}"
        for file in files
        for name in _imported(file)
        if name == "sandbox" or depth.get(name, len(depth)) < depth[file.stem]
    ]
    assert upwards == []


def _imported(file: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(file.read_text())))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return {
        name.split(".")[0] for name in plain | {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    }


def test_links_in_the_documentation_lead_somewhere() -> None:
    pages = _shipped(".md")
    assert HOME / "README.md" in pages
    links = [(page, link) for page in pages for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())]
    assert [f"{page.name}: {link}" for page, link in links if not (page.parent / link).exists()] == []


_LEFT_OUT = """
import pytest
def test_runs(): pass
def test_has_no_database(): pytest.skip("cannot run: no PostgreSQL; install it")
"""


def _runs_tests(tmp_path: Path, text: str, **environment: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "conftest.py").write_text((HOME / "conftest.py").read_text())
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_some.py").write_text(text)
    return _run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", ".", cwd=tmp_path, **environment)


def test_a_run_ends_by_naming_what_it_could_not_run(tmp_path: Path) -> None:
    ran = _runs_tests(tmp_path, _LEFT_OUT)
    assert ran.returncode == 0
    assert "1 test: no PostgreSQL; install it" in ran.stdout
    assert ran.stdout.rstrip().splitlines()[-1].startswith("1 passed, 1 skipped")


def test_what_is_left_out_fails_where_everything_is_asked_for(tmp_path: Path) -> None:
    ran = _runs_tests(tmp_path, _LEFT_OUT, RECOUP_TEST_ALL="1")
    assert ran.returncode == 1
    assert ran.stdout.rstrip().splitlines()[-1].startswith("1 failed, 1 passed")


def test_an_expected_failure_fails_where_everything_is_asked_for(tmp_path: Path) -> None:
    text = "import pytest\n@pytest.mark.xfail\ndef test_wrong(): assert 0\n"
    assert _runs_tests(tmp_path, text).returncode == 0
    assert _runs_tests(tmp_path, text, RECOUP_TEST_ALL="1").returncode == 1
