/*
 * What a session keeps of a table whose rows it writes without an executor run: compiled
 * constraints, index descriptions, the place of each column.  Forgotten when the server says that
 * the table has changed.  Relations themselves are opened anew in each transaction.
 */
#ifndef HOLDFAST_BACKEND_TABLE_TARGET_H
#define HOLDFAST_BACKEND_TABLE_TARGET_H

#include "postgres.h"

#include "access/htup_details.h"
#include "executor/tuptable.h"
#include "nodes/execnodes.h"
#include "utils/rel.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct TableTarget {
    Oid relation_id;
    const void* owner;
    bool valid;
    bool plain; /* else: by statement */
    MemoryContext context;
    EState* estate;
    ResultRelInfo* result;
    TupleTableSlot* slot; /* virtual, of the table's shape */
    Oid* index_ids;
    int attribute_count;
    int column_of_attribute[MaxHeapAttributeNumber +
                            1]; /* the owner's number of a column; -1: none */
} TableTarget;

/* Whether the owner can write the table this way; may fill column_of_attribute. */
typedef bool (*TableTargetCheck)(TableTarget* target, Relation relation, const void* owner);

/* The target of this relation for this owner.  Lives until the owner asks for another one. */
extern TableTarget* table_target_find(const void* owner, Relation relation, TableTargetCheck check);

/* Puts the target's slot to the test of the table's constraints, as the executor does. */
extern void table_target_check_constraints(TableTarget* target, Relation relation);

/* Index entries for the row in the target's slot, which the heap has taken. */
extern void table_target_insert_index_entries(TableTarget* target);

/* Frees what one row took. */
extern void table_target_end_row(TableTarget* target);

/* No rule, row security or generated column: triggers are the caller's to judge. */
extern bool table_is_plain(Relation relation);

#ifdef __cplusplus
}
#endif

#endif
