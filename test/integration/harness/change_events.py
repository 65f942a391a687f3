"""Change events as a consumer has them: what a table's topic says, and what it adds up to."""

import json


def change_events(kafka, topic):
    """(key, value) of all records, each partition in its order; the value of a tombstone is None."""
    return [(json.loads(record.key), record.value and json.loads(record.value)) for record in kafka.read(topic)]


def folded(found):
    """The rows of a consumer that keeps the newest of each key, by key: its value, or a tuple of several."""
    table = {}
    for key, value in found:
        columns = tuple(key.values())
        row_key = columns[0] if len(columns) == 1 else columns
        if value is None or value["after"] is None:
            table.pop(row_key, None)
        else:
            table[row_key] = value["after"]
    return table
