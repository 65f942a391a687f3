"""Golden files: what a unit test needs to repeat a case without Java and without a server.

golden/CASE.json has, in the order of the stream,

  options    the connector's properties
  database   what source.db says
  outbox     the tables that the event router takes, as schema.table
  halts      only where both readers stop with an error in the last step: why
  schemas    the schemas of the records, each once, as they were written
  records    [topic, partition, key, value, headers]; a key or value is null, its text, or [schema, payload]
             with an index into `schemas`, meaning {"schema":S,"payload":P}; bytes that are no text are
             {"hex": ...}.  Values of headers are written as those are.  What docs/message-format.md lets differ is blanked as the comparison blanks it
  frames     [LSN, frame in hexadecimal] of pgoutput's protocol 1, or [LSN, null] where the transaction of
             another case ended: the end that source.sequence tells
  catalog    [LSN up to which it holds, {"schema.table": description}]: the catalogue's word on the tables
             when the reader saw the frames before that LSN, and on all types that its relations have

The frames of a case are its whole transactions; what Debezium tells of others is left out.
"""

import json
import re
import struct
from pathlib import Path

from .comparison import allowed, normalised
from .groups import PUBLICATION

DIRECTORY = Path(__file__).resolve().parents[1] / "golden"
PEEK = """SELECT lsn - '0/0'::pg_lsn AS lsn, data FROM pg_logical_slot_peek_binary_changes(%s, NULL, NULL,
    'proto_version', '1', 'publication_names', %s, 'messages', 'true')"""
CATALOG = """
WITH tables AS (
  SELECT c.oid, n.nspname || '.' || c.relname AS name, c.relname, n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'public') AND n.nspname !~ '^pg_'
), key AS (
  SELECT DISTINCT ON (i.indrelid) i.indrelid, i.indkey, CASE WHEN i.indisprimary THEN i.indnkeyatts ELSE i.indnatts END AS columns FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
  WHERE i.indisunique AND i.indexprs IS NULL ORDER BY i.indrelid, i.indisprimary DESC, i.indisclustered DESC, c.relname
)
SELECT t.name, t.nspname AS schema, json_build_object('schema', t.nspname, 'name', t.relname,
  'columns', (SELECT json_agg(json_build_object('name', a.attname, 'type', a.atttypid::bigint, 'modifier', a.atttypmod, 'not_null', a.attnotnull,
      'generated', a.attgenerated <> '', 'identity', a.attidentity <> '',
      'default', CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END) ORDER BY a.attnum)
    FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped),
  'key', (SELECT coalesce(json_agg(a.attname ORDER BY u.place), '[]') FROM key k CROSS JOIN LATERAL unnest(k.indkey) WITH ORDINALITY AS u (attnum, place)
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = u.attnum WHERE k.indrelid = t.oid AND u.place <= k.columns)) AS description
FROM tables t ORDER BY t.name"""
TYPES = """
WITH RECURSIVE wanted (oid) AS (
  SELECT unnest(%s::oid[]) UNION
  SELECT part.oid FROM wanted JOIN pg_type t ON t.oid = wanted.oid CROSS JOIN LATERAL (VALUES (t.typelem), (t.typbasetype)) AS part (oid) WHERE part.oid <> 0)
SELECT t.oid::bigint AS oid, json_build_object('schema', n.nspname, 'name', t.typname, 'kind', t.typtype, 'category', t.typcategory, 'element', t.typelem::bigint,
  'base', t.typbasetype::bigint, 'base_modifier', t.typtypmod, 'not_null', t.typnotnull,
  'labels', (SELECT coalesce(json_agg(e.enumlabel ORDER BY e.enumsortorder), '[]') FROM pg_enum e WHERE e.enumtypid = t.oid)) AS description
FROM wanted JOIN pg_type t ON t.oid = wanted.oid JOIN pg_namespace n ON n.oid = t.typnamespace ORDER BY t.oid"""


def read_catalog(connection):
    """{schema: {"schema.table": description}}, each with the types that its columns are made of."""
    schemas = {}
    for row in connection.execute(CATALOG).fetchall():
        columns = row.description["columns"] or []
        schemas.setdefault(row.schema, {})[row.name] = {
            **row.description, "columns": columns, "types": _read_types(connection, [c["type"] for c in columns])}
    return schemas


def _read_types(connection, oids):
    return {str(row.oid): row.description for row in connection.execute(TYPES, [list(oids)]).fetchall()}


def _types_of(frames):
    """The types of the columns of all Relation messages."""
    found = set()
    for _, data in frames:
        frame = bytes.fromhex(data or "")
        if frame[:1] != b"R":
            continue
        at = frame.index(b"\0", frame.index(b"\0", 5) + 1) + 2  # behind schema, name and replica identity
        count, at = struct.unpack_from(">H", frame, at)[0], at + 2
        for _ in range(count):
            at = frame.index(b"\0", at + 1) + 1
            found.add(struct.unpack_from(">I", frame, at)[0])
            at += 8
    return found


def read_frames(connection, slot):
    return [(int(row.lsn), bytes(row.data)) for row in connection.execute(PEEK, [slot, PUBLICATION]).fetchall()]


def _schema_of(frame):
    """The schema that a Relation message names, or None."""
    return frame[5:frame.index(b"\0", 5)].decode() if frame[:1] == b"R" else None


def _frames_of(case, frames, alone):
    """The transactions of a case; of the others only where they ended."""
    owner, relations, result, transaction = None, {}, [], []
    for lsn, frame in frames:
        kind = frame[:1]
        if kind == b"R":
            relations[frame[1:5]] = _schema_of(frame)
        elif kind in b"IUD":
            owner = relations.get(frame[1:5])
        elif kind == b"T":
            owner = relations.get(frame[10:14])
        if kind == b"M" and frame[1] == 0:  # it belongs to no transaction
            if alone and b"conformance-" not in frame:
                result.append([lsn, frame.hex()])
            continue
        if kind == b"B":
            owner, transaction = None, []
        transaction.append([lsn, frame.hex()])
        if kind == b"C":
            end = struct.unpack(">Q", frame[10:18])[0]
            mine = alone and not any(b"conformance-" in bytes.fromhex(data) for _, data in transaction) or not alone and owner == case.name
            result += transaction if mine else [[end, None]]
            transaction = []
    return result


def _left_out(frames, all_frames):
    """The transactions, by number, that began in `all_frames` and are not in `frames`."""
    def begun(some):
        return {struct.unpack(">I", frame[17:21])[0] for frame in some if frame[:1] == b"B"}
    return begun(frame for _, frame in all_frames) - begun(bytes.fromhex(frame) for _, frame in frames if frame)


def _transaction_of(record):
    """The number of the transaction that the record of a BEGIN or an END is about, or None."""
    found = re.search(rb'"status":"(?:BEGIN|END)","id":"(\d+):', record.value or b"")
    return int(found[1]) if found else None


def _without_repeats(frames):
    """Of consecutive ends of other cases only the last before the case's own tells anything."""
    return [f for i, f in enumerate(frames) if f[1] is not None or (i + 1 < len(frames) and frames[i + 1][1] is not None)]


def _text(data, schemas):
    if data is None:
        return None
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return {"hex": data.hex()}
    if text.startswith('{"schema":{'):
        _, end = json.JSONDecoder().raw_decode(text, 10)
        if text[end:].startswith(',"payload":') and text.endswith("}"):
            return [schemas.setdefault(text[10:end], len(schemas)), text[end + 11:-1]]
    return text


def write(case, group, records, frames, connection):
    alone = len(group.cases) == 1
    own = _without_repeats(_frames_of(case, frames, alone))
    left_out = _left_out(own, frames)
    schemas, lines = {}, []
    for (topic, partition), there in sorted(normalised(records, case, allowed()).items()):
        for record in there:
            if _transaction_of(record) in left_out:
                continue
            headers = [[name, _text(value, schemas)] for name, value in record.headers]
            lines.append([topic, partition, _text(record.key, schemas), _text(record.value, schemas), headers])
    types = _read_types(connection, _types_of(own))
    tables = [[lsn, {name: {**table, "types": types | table["types"]} for schema, of_schema in catalog.items() if alone or schema == case.name
                     for name, table in of_schema.items()}] for lsn, catalog in group.catalogs]
    halts = [f'"halts":{json.dumps(group.halts)}'] if group.halts else []
    DIRECTORY.mkdir(exist_ok=True)

    def rows(name, values):
        return f'"{name}":[\n' + ",\n".join(json.dumps(v, ensure_ascii=False, separators=(",", ":")) for v in values) + "\n]"
    (DIRECTORY / f"{case.name}.json").write_text("{" + ",\n".join((
        f'"options":{json.dumps(group.options)}', f'"database":{json.dumps(group.name)}', f'"outbox":{json.dumps(group.outboxes)}', *halts,
        rows("schemas", schemas), rows("records", lines), rows("frames", own), rows("catalog", tables))) + "}\n")
