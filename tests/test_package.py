"""The package installs as a wheel and in place, with every folder and data file."""

import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
HOMES = PROJECT["tool"]["setuptools"]["package-dir"]


def _folder(package: str) -> Path:
    home = max((name for name in HOMES if package == name or package.startswith(f"{name}.")), key=len)
    return ROOT / HOMES[home] / Path(*package.removeprefix(home).strip(".").split("."))


def test_every_folder_with_code_is_listed_as_a_package():
    listed = set(PROJECT["tool"]["setuptools"]["packages"])
    assert {_folder(package) for package in listed} == {
        path.parent for folder in set(HOMES.values()) for path in (ROOT / folder).rglob("__init__.py")
    }


def test_the_version_is_written_once_in_two_places_that_agree():
    import ovrisisbench

    assert ovrisisbench.__version__ == PROJECT["project"]["version"]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    # A copy, since setuptools packs whatever an earlier build has left in the source tree.
    unwanted = shutil.ignore_patterns(
        ".*", "build", "*.egg-info", "tests", "benchmarks", "data", "demo-*", "__pycache__"
    )
    source = shutil.copytree(ROOT, folder / "source", ignore=unwanted)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return path


@pytest.mark.slow
@pytest.mark.xdist_group("build")
def test_the_wheel_holds_all_code_and_data_and_one_import_name(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {
        "ovrisisbench",
        f"ovrisisbench-{PROJECT['project']['version']}.dist-info",
    }
    expected = {
        f"{package.replace('.', '/')}/{path.name}"
        for package in PROJECT["tool"]["setuptools"]["packages"]
        for path in _folder(package).glob("*.py")
    }
    for folder, pattern in (
        ("splits", "*/*.yaml"),
        ("results", "published/*.json"),
        ("results", "published/ablations/*.json"),
        ("results", "published/*.yaml"),
        ("adapters", "tiny_weights/*.yaml"),
        ("adapters", "*/ablations.yaml"),
    ):
        data = {
            f"ovrisisbench/{folder}/{path.relative_to(ROOT / folder).as_posix()}"
            for path in (ROOT / folder).glob(pattern)
        }
        assert data
        expected |= data
    expected |= {
        f"ovrisisbench/adapters/tiny_weights/{path.name}"
        for path in (ROOT / "adapters" / "tiny_weights").glob("*.safetensors")
    }
    recipes = {f"ovrisisbench/adapters/{path.parent.name}/{path.name}" for path in ROOT.glob("adapters/*/recipe.yaml")}
    assert recipes
    expected |= recipes
    expected |= {"ovrisisbench/py.typed", "ovrisisbench/leaderboard/table.tex.jinja"}
    report = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("ovrisisbench/report/*/*.*")}
    assert len(report) > 10
    expected |= report
    expected |= {f"ovrisisbench/prepare/contact_sheet/contact_sheet.{kind}" for kind in ("html.jinja", "css", "js")}
    assert expected <= set(names)
    assert not [name for name in names if "test" in name or name.endswith((".h5", ".npz"))]


@pytest.mark.slow
@pytest.mark.xdist_group("build")
@pytest.mark.parametrize("how", ["wheel", "editable"])
def test_an_installed_package_runs_from_any_folder(tmp_path, request, how):
    # Dependencies come from the environment of the tests: what is tried here is our own package alone.
    venv.create(tmp_path / "env", system_site_packages=False, with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    # Python 3.11 puts an old setuptools into new environments; the one that pyproject.toml asks for is outside.
    site = next((tmp_path / "env" / "lib").glob("python*")) / "site-packages"
    for old in [*site.glob("setuptools*"), *site.glob("pkg_resources")]:
        shutil.rmtree(old)
    outer = next(path for path in map(Path, sys.path) if path.name == "site-packages")
    (site / "outer.pth").write_text(
        f"import sys; sys.path.append({str(outer)!r})\n"  # appended, so that the copy under test comes first
    )
    what = (
        [str(request.getfixturevalue("wheel"))] if how == "wheel" else ["--no-build-isolation", "--editable", str(ROOT)]
    )
    install = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--ignore-installed", *what]
    subprocess.run(install, check=True, capture_output=True, cwd=tmp_path)
    code = (
        "import ovrisisbench.adapters as a, ovrisisbench.splits, ovrisisbench.results\n"
        "from ovrisisbench.catalog import load_cards, load_protocol\n"
        "from ovrisisbench.records import read_published\n"
        "from ovrisisbench.adapter import find_adapter\n"
        "assert {card.key for card in load_cards()} > set(load_protocol().datasets) and read_published()\n"
        "find_adapter('rskt-seg').load_class()\n"
        "print(a.__file__)"
    )
    done = subprocess.run([str(python), "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    home = site / "ovrisisbench" / "adapters" if how == "wheel" else ROOT / "adapters"
    assert Path(done.stdout.strip()).parent.resolve() == home.resolve()
    script = tmp_path / "env" / "bin" / "ovrisis-bench"
    assert "leaderboard" in subprocess.run([script, "--help"], capture_output=True, text=True, check=True).stdout
