"""A platform's file is replaced, and never missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from pagemill.cli.platform_file import replace_file


def test_the_old_file_is_kept_beside_the_new_one(tmp_path: Path) -> None:
    """Whatever stood there, and also where the folder is not there yet."""
    file = tmp_path / "platforms" / "shop.yaml"
    replace_file(file, "one")
    replace_file(file, "two")
    assert file.read_text() == "two"
    assert file.with_name("shop.yaml.before").read_text() == "one"
    assert sorted(each.name for each in file.parent.iterdir()) == ["shop.yaml", "shop.yaml.before"]


def test_a_file_is_there_whenever_replacing_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the worst moment, the old one."""
    file = tmp_path / "shop.yaml"
    file.write_text("one")

    def cut_off(_self: Path, _target: Path) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", cut_off)
    monkeypatch.setattr(Path, "rename", cut_off)
    with pytest.raises(KeyboardInterrupt):
        replace_file(file, "two")
    assert file.read_text() == "one"
    assert not file.with_name(".shop.yaml.new").exists()
