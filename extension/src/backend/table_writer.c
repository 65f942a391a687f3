#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "backend/table_writer.h"
#include "backend/version.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "executor/executor.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "partitioning/partbounds.h"
#include "partitioning/partdesc.h"
#include "utils/acl.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/partcache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

/*
 * One table or leaf partition that rows were written to.  Relations are opened anew in each
 * transaction; what is kept is compiled constraints, index descriptions and the place of each
 * column.
 */
typedef struct Target {
    Oid relation_id;
    const TableWriter* writer;
    bool valid;
    bool plain; /* else: INSERT */
    MemoryContext context;
    EState* estate;
    ResultRelInfo* result;
    TupleTableSlot* slot;
    Oid* index_ids;
    int attribute_count;
    int column_of_attribute[MaxHeapAttributeNumber + 1]; /* -1: NULL */
} Target;

/* The newest partitions and default partitions of a handful of tables; the oldest makes room. */
#define MAX_TARGETS 16
static Target* targets[MAX_TARGETS];
static int next_victim = 0;

/* Counts announced changes: one may come while a target is being made. */
static uint64 changes = 0;

/* That an index made concurrently now takes rows is announced with its commit for the index; what
 * is announced for its table may come earlier. */
static bool depends_on(const Target* target, Oid relation_id) {
    if (relation_id == InvalidOid || target->relation_id == relation_id) return true;
    for (int i = 0; target->plain && i < target->result->ri_NumIndices; i++)
        if (target->index_ids[i] == relation_id) return true;
    return false;
}

static void forget_relation(Datum arg pg_attribute_unused(), Oid relation_id) {
    changes++;
    for (int i = 0; i < MAX_TARGETS; i++)
        if (targets[i] != NULL && depends_on(targets[i], relation_id)) targets[i]->valid = false;
}

/* A constraint may have a function compiled into it. */
static void forget_functions(Datum arg pg_attribute_unused(), int cacheid pg_attribute_unused(),
                             uint32 hashvalue pg_attribute_unused()) {
    forget_relation((Datum)0, InvalidOid);
}

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

/* Nothing stands between a row and the heap but constraints and indexes. */
static bool is_plain(Relation relation) {
    TupleConstr* constraints = RelationGetDescr(relation)->constr;

    return (relation->rd_rel->relkind == RELKIND_RELATION ||
            relation->rd_rel->relkind == RELKIND_PARTITIONED_TABLE) &&
           relation->trigdesc == NULL && relation->rd_rules == NULL &&
           !relation->rd_rel->relrowsecurity &&
           (constraints == NULL || !constraints->has_generated_stored);
}

/* Finds our columns in the relation; false when one is missing, or when one of its own needs a
 * value. */
static bool map_columns(Target* target, Relation relation) {
    TupleDesc descriptor = RelationGetDescr(relation);
    const TableWriter* writer = target->writer;
    int found = 0;

    target->attribute_count = descriptor->natts;
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

static Target* make_target(const TableWriter* writer, Relation relation) {
    /* The caller's until it is complete, so that an error leaves nothing behind. */
    MemoryContext context =
        AllocSetContextCreate(CurrentMemoryContext, "holdfast table writer", ALLOCSET_SMALL_SIZES);
    MemoryContext caller = MemoryContextSwitchTo(context);
    Target* target = palloc0(sizeof(Target));
    uint64 changes_before = changes;
    bool btree_only = true;

    target->context = context;
    target->relation_id = RelationGetRelid(relation);
    target->writer = writer;
    target->plain = is_plain(relation) && map_columns(target, relation);
    if (target->plain) {
        /* Copied, because the slot outlives this use of the relation. */
        target->slot = MakeSingleTupleTableSlot(CreateTupleDescCopy(RelationGetDescr(relation)),
                                                &TTSOpsVirtual);
        target->estate = CreateExecutorState();
        target->result = palloc0(sizeof(ResultRelInfo));
        NodeSetTag(target->result, T_ResultRelInfo);
        InitResultRelInfo(target->result, relation, 0, NULL, 0);
        ExecOpenIndices(target->result, false);
        target->index_ids = palloc0(sizeof(Oid) * (Size)Max(target->result->ri_NumIndices, 1));
        for (int i = 0; i < target->result->ri_NumIndices; i++) {
            Relation index = target->result->ri_IndexRelationDescs[i];

            target->index_ids[i] = RelationGetRelid(index);
            /* Others may keep more between rows than a transaction lets them (17's BRIN: a pin). */
            if (index->rd_rel->relam != BTREE_AM_OID) btree_only = false;
        }
        ExecCloseIndices(target->result);
        target->plain = btree_only;
    }
    target->valid = changes == changes_before;
    MemoryContextSwitchTo(caller);
    MemoryContextSetParent(context, TopMemoryContext);
    return target;
}

static Target* find_target(const TableWriter* writer, Relation relation) {
    static bool registered = false;
    int place = -1;

    if (!registered) {
        CacheRegisterRelcacheCallback(forget_relation, (Datum)0);
        CacheRegisterSyscacheCallback(PROCOID, forget_functions, (Datum)0);
        registered = true;
    }
    for (int i = 0; i < MAX_TARGETS; i++) {
        if (targets[i] == NULL) continue;
        if (targets[i]->relation_id == RelationGetRelid(relation) && targets[i]->writer == writer) {
            if (targets[i]->valid) return targets[i];
            place = i;
        } else if (!targets[i]->valid && place < 0)
            place = i;
    }
    for (int i = 0; i < MAX_TARGETS && place < 0; i++)
        if (targets[i] == NULL) place = i;
    if (place < 0) {
        place = next_victim;
        next_victim = (next_victim + 1) % MAX_TARGETS;
    }
    if (targets[place] != NULL) {
        Target* old = targets[place];

        targets[place] = NULL;
        MemoryContextDelete(old->context);
    }
    targets[place] = make_target(writer, relation);
    return targets[place];
}

static void insert_directly(Target* target, Relation relation, Datum* values, const bool* nulls) {
    ResultRelInfo* result = target->result;
    TupleTableSlot* slot = target->slot;

    /* What an earlier error may have left. */
    ExecClearTuple(slot);
    for (int i = 0; i < target->attribute_count; i++) {
        int column = target->column_of_attribute[i];

        slot->tts_isnull[i] = column < 0 || nulls[column];
        slot->tts_values[i] = slot->tts_isnull[i] ? (Datum)0 : values[column];
    }
    ExecStoreVirtualTuple(slot);

    result->ri_RelationDesc = relation;
    if (RelationGetDescr(relation)->constr != NULL) ExecConstraints(result, slot, target->estate);
    table_tuple_insert(relation, slot, GetCurrentCommandId(true), 0, NULL);
    if (result->ri_NumIndices > 0) {
        for (int i = 0; i < result->ri_NumIndices; i++)
            result->ri_IndexRelationDescs[i] = index_open(target->index_ids[i], RowExclusiveLock);
        HOLDFAST_INSERT_INDEX_TUPLES(result, slot, target->estate);
        for (int i = 0; i < result->ri_NumIndices; i++)
            index_close(result->ri_IndexRelationDescs[i], RowExclusiveLock);
    }
    ExecClearTuple(slot);
    ResetPerTupleExprContext(target->estate);
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
    if (!XactReadOnly && is_plain(table) &&
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
            Target* target = still_there ? find_target(writer, leaf) : NULL;

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
