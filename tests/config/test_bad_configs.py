"""Config files that are none: each is one error of exit code 2 that names the file."""

from __future__ import annotations

import pytest

from harness.cli.failure import show
from harness.config import loading as configuration
from harness.errors import EXIT_USAGE, ConfigError
from tests.support.project import CONFIG

C = CONFIG.encode()
BAD = {
    "empty": b"",
    "blank": b"\n\n",
    "comment only": b"# nothing\n",
    "null": b"null",
    "list": b"- a\n- b\n",
    "text": b"hello",
    "number": b"3",
    "true": b"true",
    "tab": b"data:\n\tsource: fake\n",
    "indent": b"data:\n  source: fake\n model: x\n",
    "unclosed": b"data: {source: fake\n",
    "unclosed quote": b"data: 'fake\n",
    "colon": b"a: b: c\n",
    "dup": C + b"seed: 8\n",
    "dup inner": C + b"plan: {explore: .2, explore: .3}\n",
    "anchor": C + b"a: &x {b: *x}\n",
    "cycle": b"data: &d\n  source: *d\n",
    "undefined alias": b"data: *nope\n",
    "merge": C + b"plan: {<<: *x}\n",
    "billion": b"a: &a [x,x,x,x,x,x,x,x,x]\n"
    + b"".join(
        b"%c: &%c [%s]\n" % (98 + i, 98 + i, b",".join([b"*%c" % (97 + i)] * 9)) for i in range(9)
    ),
    "tag": C + b"plan: !!python/object/apply:os.system ['true']\n",
    "tag2": C + b"seed: !!binary aGk=\n",
    "own tag": C + b"seed: !x 3\n",
    "two documents": C + b"---\na: 1\n",
    "directive": b"%YAML 9.9\n---\n" + C,
    "latin1": C + b"# caf\xe9\nx: \xe9\n",
    "utf16": CONFIG.encode("utf-16"),
    "nul": C + b"\x00",
    "binary": bytes(range(256)),
    "ctrl": C + b"x: \x07\n",
    "bom": b"\xef\xbb\xbfx: 1\n",
    "unknown": C + b"sed: 7\n",
    "wrong type": C.replace(b"seed: 7", b"seed: seven"),
    "negative": C.replace(b"rounds: 3", b"rounds: -1"),
    "truth as rounds": C.replace(b"rounds: 3", b"rounds: true"),
    "float rounds": C.replace(b"rounds: 3", b"rounds: 2.5"),
    "huge rounds": C.replace(b"rounds: 3", b"rounds: " + b"9" * 400),
    "nan": C.replace(b"seed: 7", b"seed: .nan"),
    "inf": C.replace(b"seed: 7", b"seed: .inf"),
    "date": C.replace(b"seed: 7", b"seed: 2020-01-01"),
    "data list": C.replace(b"data: {source: fake}", b"data: [fake]"),
    "data null": C.replace(b"data: {source: fake}", b"data:"),
    "no plugin": C.replace(b"data: {source: fake}", b"data: {source: nope}"),
    "int key": C + b"3: 4\n",
    "list key": C + b"? [a, b]\n: 4\n",
    "null key": C + b"~: 4\n",
    "metrics dict": C.replace(b"metrics: [{plugin: overlap}]", b"metrics: {plugin: overlap}"),
    "metrics empty": C.replace(b"metrics: [{plugin: overlap}]", b"metrics: []"),
    "primary": C.replace(b"primary: overlap", b"primary: nope"),
    "primary list": C.replace(b"primary: overlap", b"primary: [a]"),
    "plugins num": C.replace(b"plugins: [", b"plugins: [3, "),
    "option type": C.replace(b"{source: fake}\nmodel", b"{source: fake, train: many}\nmodel"),
    "option unknown": C.replace(b"{source: fake}\nmodel", b"{source: fake, trian: 3}\nmodel"),
    "deep": b"a: " + b"[" * 400 + b"]" * 400,
    "deep map": b"".join(b" " * i + b"a:\n" for i in range(200)),
    "long": C + b"x: " + b"a" * 50_000 + b"\n",
    "name list": C.replace(b"{plugin: overlap}", b"{plugin: overlap, name: [a]}"),
    "rows text": C.replace(b"rows: 10", b"rows: ten"),
}
TOML = {
    "bad": b"a = ",
    "dup": b"a=1\na=2\n",
    "type": b"rounds = 'x'\n",
    "utf": b"a = '\xe9'\n",
    "empty": b"",
    "date": b"rounds = 1979-05-27\n",
    "deep": b"a = " + b"[" * 3000 + b"]" * 3000,
    "nan": b"rounds = nan\n",
}


@pytest.mark.nightly(but_each=4)
@pytest.mark.parametrize("name", BAD)
def test_yaml(tmp_path, name, capsys):
    refused(tmp_path / "bad.yaml", BAD[name], capsys)


@pytest.mark.parametrize("name", TOML)
def test_toml(tmp_path, name, capsys):
    refused(tmp_path / "bad.toml", TOML[name], capsys)


def refused(path, content, capsys):
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        configuration.load(path)
    assert show(caught.value, debug=False) == EXIT_USAGE
    shown = capsys.readouterr().err
    assert path.name in shown and "Traceback" not in shown and len(shown) < 20_000


def test_the_config_that_they_are_made_from_is_good(tmp_path):
    (tmp_path / "good.yaml").write_bytes(C)
    assert configuration.load(tmp_path / "good.yaml").settings.rounds == 3


@pytest.mark.parametrize("value", ["&a [*a]", "[" * 500, "9" * 5000, "!!python/object:x {}", "{a"])
def test_what_is_no_value_after_set_is_text(tmp_path, value):
    (tmp_path / "good.yaml").write_bytes(C)
    with pytest.raises(ConfigError, match="seed"):
        configuration.load(tmp_path / "good.yaml", sets=[f"seed={value}"])
