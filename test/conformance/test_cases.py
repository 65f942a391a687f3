"""The language of the cases: what a file says is what both readers are asked for."""

import pytest
from suite import cases, groups


def parsed(directory, text):
    path = directory / "orders.sql"
    path.write_text(text)
    return cases.parse(path)


def test_a_snapshot_is_taken_behind_what_comes_before_it(tmp_path):
    case = parsed(tmp_path, "-- About.\n-- (schema)\nA\n-- (workload)\nB\n-- (snapshot) t, u WHERE id > 3\nC\n-- (wait)\nD\n-- (snapshot) t\n")
    assert case.steps == ("B", "C", "D", "")
    assert case.snapshots == {1: cases.Snapshot(("orders.t", "orders.u"), "id > 3"), 3: cases.Snapshot(("orders.t",), None)}
    assert case.live


def test_without_a_schema_a_snapshot_comes_before_the_same_step(tmp_path):
    case = parsed(tmp_path, "-- About.\n-- (workload)\nB\n-- (snapshot) t\nC\n")
    assert case.snapshots == {1: cases.Snapshot(("orders.t",), None)}


@pytest.mark.parametrize("snapshot", ["-- (snapshot)", "-- (snapshot) WHERE id > 3", "-- (snapshot) s.t", "-- (snapshot) t,"])
def test_a_snapshot_names_its_tables(tmp_path, snapshot):
    with pytest.raises(ValueError, match=r"orders.sql:2: write -- \(snapshot\)"):
        parsed(tmp_path, f"-- (workload)\n{snapshot}\n")


def test_cases_with_a_snapshot_share_no_connector_with_others(tmp_path):
    plain = parsed(tmp_path, "-- (workload)\nB\n-- (wait)\nC\n")
    snapshot = parsed(tmp_path, "-- (workload)\nB\n-- (snapshot) t\nC\n")
    assert [group.incremental for group in groups.group([plain, snapshot])].count(True) == 1
