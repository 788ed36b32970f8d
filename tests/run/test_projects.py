"""What belongs to one project, wherever in a run it was found."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from detector import Finding, Scanner
from detector.checks.supabase import publishable_key
from detector.run import Options, Run

REF = "abcdefghijklmnopqrst"
OPEN = "GRANT SELECT ON TABLE public.agents TO anon;\n"


@pytest.fixture(scope="module")
def scanner() -> Scanner:
    return Scanner(key=b"test")


def dump(ref: str, *, rights: str = OPEN) -> str:
    token = publishable_key(random.Random(5), "z" * 20, "secret").decode()
    return (
        "CREATE TABLE public.agents (id integer, avatar text, token text);\n"
        "COPY public.agents (id, avatar, token) FROM stdin;\n"
        f"1\thttps://{ref}.supabase.co/storage/v1/a.png\t{token}\n\\.\n{rights}"
    )


def bundle(ref: str, kind: str = "publishable", *, host: bool = True) -> str:
    key = publishable_key(random.Random(1), ref, kind).decode()
    url = f'let u="https://{ref}.supabase.co";' if host else ""
    return f'{url}{"var x=1;" * 300}let k="{key}";'


def joined(scanner: Scanner, folder: Path, jobs: int = 1, **files: str):
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    run = Run(scanner, [str(folder)], Options(jobs=jobs))
    for item in run:
        if isinstance(item, Finding):
            run.count(item)
    return {project.project: project for project in run.sums().projects}


@pytest.mark.parametrize("host", [True, False], ids=["with its URL", "by its sum alone"])
def test_a_bundles_key_opens_a_table_of_the_same_project(scanner, tmp_path, host):
    projects = joined(scanner, tmp_path, dump_sql=dump(REF), app_js=bundle(REF, host=host))
    project = projects[REF]
    assert [Path(path).name for path in project.public] == ["app.js"]
    assert project.open_tables == ("public.agents",)
    assert "app.js can use public.agents" in project.means


def test_a_key_of_another_project_opens_nothing(scanner, tmp_path):
    projects = joined(scanner, tmp_path, dump_sql=dump("q" * 20), app_js=bundle(REF))
    assert list(projects) == [REF]
    assert projects[REF].open_tables == ()
    assert "No open table" in projects[REF].means


def test_a_closed_table_is_not_named(scanner, tmp_path):
    closed = OPEN + "ALTER TABLE public.agents ENABLE ROW LEVEL SECURITY;\n"
    text = dump(REF, rights=closed)
    projects = joined(scanner, tmp_path, dump_sql=text, app_js=bundle(REF))
    assert projects[REF].open_tables == ()


def test_a_server_key_needs_no_open_table(scanner, tmp_path):
    projects = joined(scanner, tmp_path, app_js=bundle(REF, "secret"))
    assert [Path(path).name for path in projects[REF].server] == ["app.js"]
    assert "past row level security" in projects[REF].means
