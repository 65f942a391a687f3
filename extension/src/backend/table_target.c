#include "postgres.h"

#include "access/genam.h"
#include "backend/table_target.h"
#include "backend/version.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "executor/executor.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

/* The newest partitions and default partitions of a handful of tables; the oldest makes room. */
#define MAX_TARGETS 16
static TableTarget* targets[MAX_TARGETS];
static int next_victim = 0;

/* Counts announced changes: one may come while a target is being made. */
static uint64 changes = 0;

/* That an index made concurrently now takes rows is announced with its commit for the index; what
 * is announced for its table may come earlier. */
static bool depends_on(const TableTarget* target, Oid relation_id) {
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

static TableTarget* make_target(const void* owner, Relation relation, TableTargetCheck check) {
    /* The caller's until it is complete, so that an error leaves nothing behind. */
    MemoryContext context =
        AllocSetContextCreate(CurrentMemoryContext, "holdfast table target", ALLOCSET_SMALL_SIZES);
    MemoryContext caller = MemoryContextSwitchTo(context);
    TableTarget* target = palloc0(sizeof(TableTarget));
    uint64 changes_before = changes;
    bool btree_only = true;

    target->context = context;
    target->relation_id = RelationGetRelid(relation);
    target->owner = owner;
    target->attribute_count = RelationGetDescr(relation)->natts;
    target->plain = table_is_plain(relation) && check(target, relation, owner);
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

TableTarget* table_target_find(const void* owner, Relation relation, TableTargetCheck check) {
    static bool registered = false;
    int place = -1;

    if (!registered) {
        CacheRegisterRelcacheCallback(forget_relation, (Datum)0);
        CacheRegisterSyscacheCallback(PROCOID, forget_functions, (Datum)0);
        registered = true;
    }
    for (int i = 0; i < MAX_TARGETS; i++) {
        if (targets[i] == NULL) continue;
        if (targets[i]->relation_id == RelationGetRelid(relation) && targets[i]->owner == owner) {
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
        TableTarget* old = targets[place];

        targets[place] = NULL;
        MemoryContextDelete(old->context);
    }
    targets[place] = make_target(owner, relation, check);
    return targets[place];
}

bool table_is_plain(Relation relation) {
    TupleConstr* constraints = RelationGetDescr(relation)->constr;

    return (relation->rd_rel->relkind == RELKIND_RELATION ||
            relation->rd_rel->relkind == RELKIND_PARTITIONED_TABLE) &&
           relation->rd_rules == NULL && !relation->rd_rel->relrowsecurity &&
           (constraints == NULL || !constraints->has_generated_stored);
}

void table_target_check_constraints(TableTarget* target, Relation relation) {
    target->result->ri_RelationDesc = relation;
    if (RelationGetDescr(relation)->constr != NULL)
        ExecConstraints(target->result, target->slot, target->estate);
}

void table_target_insert_index_entries(TableTarget* target) {
    ResultRelInfo* result = target->result;

    if (result->ri_NumIndices == 0) return;
    for (int i = 0; i < result->ri_NumIndices; i++)
        result->ri_IndexRelationDescs[i] = index_open(target->index_ids[i], RowExclusiveLock);
    HOLDFAST_INSERT_INDEX_TUPLES(result, target->slot, target->estate);
    for (int i = 0; i < result->ri_NumIndices; i++)
        index_close(result->ri_IndexRelationDescs[i], RowExclusiveLock);
}

void table_target_end_row(TableTarget* target) {
    ExecClearTuple(target->slot);
    ResetPerTupleExprContext(target->estate);
}
