"""A service on a folder whose models were tampered with writes nothing for them, and goes on without them."""

from pathlib import Path

import pytest

from tests.acceptance.service import Service, eventually
from tests.unit import instance
from tests.unit.learn.forged_models import tamper


@pytest.mark.timeout(120)
def test_a_start_with_tampered_models_writes_no_file(tmp_path: Path) -> None:
    folder, outside = instance.create_trained_folder(tmp_path / "data"), tmp_path / "outside"
    outside.mkdir()
    names = ("final_regressor", "predictions", "raw_predictions")
    options = " ".join(f"--{name} {outside / name}" for name in names)
    assert tamper(folder / "loops" / "default", options)
    service = Service(folder)
    service.spawn()
    try:
        eventually(
            lambda: "options that are not accepted" in service.log.read_text(), "it says so", within_s=60
        )
        eventually(lambda: "learned again" in service.log.read_text(), "it learns anew", within_s=60)
    finally:
        service.end()
    assert not list(outside.iterdir())
