"""The folder of the embedded services, made by several starters at once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from neurobotanica.embedded.home import make_folder

STARTERS = 4
ROUNDS = 300


def test_starters_that_make_the_folder_at_the_same_moment_all_get_it(tmp_path):
    at_once = Barrier(STARTERS)

    def start(folder: Path) -> Path:
        at_once.wait(timeout=30)
        return make_folder(folder)

    with ThreadPoolExecutor(STARTERS) as pool:
        for number in range(ROUNDS):
            folder = tmp_path / str(number) / "home"

            assert set(pool.map(start, [folder] * STARTERS)) == {folder}
