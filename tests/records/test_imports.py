import subprocess
import sys


def test_records_and_leaderboard_are_read_without_torch():
    code = (
        "import sys; from ovrisisbench.records import read_published; from ovrisisbench.leaderboard import "
        "leaderboard_json, leaderboard_table; leaderboard_json(leaderboard_table([], read_published())); "
        "print(sorted({'torch', 'pandas', 'h5py', 'numba', 'timm'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
