#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "backend/table_target.h"
#include "backend/table_writer.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "partitioning/partbounds.h"
#include "partitioning/partdesc.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/partcache.h"
#include "utils/rel.h"

/* The relation that takes a row with this key: the table itself, a leaf, or InvalidOid when
 * unclear. */
static Oid find_leaf(const TableWriter* writer, Relation table, Datum key) {
    PartitionKey partition_key;
    PartitionDesc partitions;
    PartitionBoundInfo bounds;
    bool equal;
    int offset;
    int index;

    if (table->rd_rel->relkind == RELKIND_RELATION) return RelationGetRelid(table);
    if (table->rd_rel->relkind != RELKIND_PARTITIONED_TABLE) return InvalidOid;
    partition_key = RelationGetPartitionKey(table);
    partitions = RelationGetPartitionDesc(table, true);
    if (partition_key->strategy != PARTITION_STRATEGY_RANGE || partition_key->partnatts != 1 ||
        partition_key->parttypid[0] != writer->columns[writer->key_column].type ||
        partition_key->partattrs[0] == 0 ||
        strcmp(
            NameStr(
                TupleDescAttr(RelationGetDescr(table), partition_key->partattrs[0] - 1)->attname),
            writer->columns[writer->key_column].name) != 0 ||
        partitions->nparts == 0)
        return InvalidOid;
    bounds = partitions->boundinfo;
    offset = partition_range_datum_bsearch(partition_key->partsupfunc, partition_key->partcollation,
                                           bounds, 1, &key, &equal);
    index = bounds->indexes[offset + 1];
    if (index < 0) index = bounds->default_index;
    return index < 0 || !partitions->is_leaf[index] ? InvalidOid : partitions->oids[index];
}

/* Finds our columns in the relation; false when one is missing, or when one of its own needs a
 * value. */
static bool map_columns(TableTarget* target, Relation relation, const void* owner) {
    TupleDesc descriptor = RelationGetDescr(relation);
    const TableWriter* writer = owner;
    int found = 0;

    if (relation->trigdesc != NULL) return false;
    for (int i = 0; i < descriptor->natts; i++) {
        Form_pg_attribute attribute = TupleDescAttr(descriptor, i);

        target->column_of_attribute[i] = -1;
        if (attribute->attisdropped) continue;
        for (int j = 0; j < writer->column_count; j++)
            if (strcmp(NameStr(attribute->attname), writer->columns[j].name) == 0)
                target->column_of_attribute[i] = j;
        if (target->column_of_attribute[i] < 0) {
            if (attribute->atthasdef || attribute->attnotnull || attribute->attidentity != '\0')
                return false;
            continue;
        }
        if (attribute->atttypid != writer->columns[target->column_of_attribute[i]].type)
            return false;
        found++;
    }
    return found == writer->column_count;
}

static void insert_directly(TableTarget* target, Relation relation, Datum* values,
                            const bool* nulls) {
    TupleTableSlot* slot = target->slot;

    /* What an earlier error may have left. */
    ExecClearTuple(slot);
    for (int i = 0; i < target->attribute_count; i++) {
        int column = target->column_of_attribute[i];

        slot->tts_isnull[i] = column < 0 || nulls[column];
        slot->tts_values[i] = slot->tts_isnull[i] ? (Datum)0 : values[column];
    }
    ExecStoreVirtualTuple(slot);

    table_target_check_constraints(target, relation);
    table_tuple_insert(relation, slot, GetCurrentCommandId(true), 0, NULL);
    table_target_insert_index_entries(target);
    table_target_end_row(target);
}

static void insert_by_statement(TableWriter* writer, Datum* values, const bool* nulls) {
    char flags[MAX_WRITER_COLUMNS];
    int result;

    if (writer->plan == NULL) {
        StringInfoData sql;
        Oid types[MAX_WRITER_COLUMNS];
        SPIPlanPtr plan;

        initStringInfo(&sql);
        appendStringInfo(&sql, "INSERT INTO holdfast.%s (", writer->table);
        for (int i = 0; i < writer->column_count; i++) {
            appendStringInfo(&sql, "%s%s", i == 0 ? "" : ", ", writer->columns[i].name);
            types[i] = writer->columns[i].type;
        }
        appendStringInfoString(&sql, ") VALUES (");
        for (int i = 0; i < writer->column_count; i++)
            appendStringInfo(&sql, "%s$%d", i == 0 ? "" : ", ", i + 1);
        appendStringInfoChar(&sql, ')');
        plan = SPI_prepare_cursor(sql.data, writer->column_count, types, CURSOR_OPT_GENERIC_PLAN);
        if (plan == NULL || SPI_keepplan(plan) != 0)
            elog(ERROR, "could not prepare \"%s\": %s", sql.data,
                 SPI_result_code_string(SPI_result));
        writer->plan = plan;
    }
    for (int i = 0; i < writer->column_count; i++) flags[i] = nulls[i] ? 'n' : ' ';
    result = SPI_execute_plan(writer->plan, values, flags, false, 0);
    if (result != SPI_OK_INSERT)
        elog(ERROR, "could not insert into holdfast.%s: %s", writer->table,
             SPI_result_code_string(result));
}

void table_writer_insert(TableWriter* writer, Datum* values, const bool* nulls) {
    Oid table_id = get_relname_relid(writer->table, get_namespace_oid("holdfast", false));
    Relation table;
    bool done = false;

    if (!OidIsValid(table_id))
        ereport(ERROR, errcode(ERRCODE_UNDEFINED_TABLE),
                errmsg("table holdfast.%s does not exist", writer->table));
    /* Keeps the lock, as an INSERT does, so that the partition cannot be taken away meanwhile. */
    table = table_open(table_id, RowExclusiveLock);
    if (!XactReadOnly && table_is_plain(table) && table->trigdesc == NULL &&
        (table->rd_rel->relowner == GetUserId() ||
         pg_class_aclcheck(table_id, GetUserId(), ACL_INSERT) == ACLCHECK_OK)) {
        Oid leaf_id = nulls[writer->key_column]
                          ? InvalidOid
                          : find_leaf(writer, table, values[writer->key_column]);

        if (OidIsValid(leaf_id)) {
            Relation leaf = leaf_id == table_id ? table : table_open(leaf_id, RowExclusiveLock);
            /* While we waited for a default partition, the key may have got one of its own. */
            bool still_there =
                leaf == table || find_leaf(writer, table, values[writer->key_column]) == leaf_id;
            TableTarget* target = still_there ? table_target_find(writer, leaf, map_columns) : NULL;

            if (target != NULL && target->plain) {
                insert_directly(target, leaf, values, nulls);
                done = true;
            }
            if (leaf != table) table_close(leaf, NoLock);
        }
    }
    table_close(table, NoLock);
    if (done)
        CommandCounterIncrement();
    else
        insert_by_statement(writer, values, nulls);
}
